package guest

import (
	"encoding/json"

	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

// Each operation begins with the memory as it is when the module has been
// initialised. So what the first use of a type costs is paid before: finding out
// how to read and write it takes longer than most operations.
func init() {
	Warm[abi.Request[abi.SpecArgs]]()
	Warm[abi.Request[abi.StopArgs]]()
	Warm[abi.Request[abi.WaitHealthyArgs]]()
	Warm[abi.StartResult]()
	Warm[abi.StateResult]()
	Warm[abi.Error]()
	Warm[abi.ExecRequest]()
	Warm[abi.SpawnResult]()
	Warm[abi.WaitResult]()
}

// Warm makes it cheap for all operations to read and write JSON of a type. It is
// called from an init function.
func Warm[T any]() {
	var value T
	_ = json.Unmarshal([]byte("{}"), &value) // a type that isn't an object is found out about, too
	_, _ = json.Marshal(value)
}
