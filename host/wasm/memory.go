package wasm

import (
	"context"
	"unicode/utf8"

	"github.com/tetratelabs/wazero/api"

	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

// view is a part of the guest's memory. It is only good until the guest runs
// again. A part that isn't all there stops the guest.
func view(m api.Module, ptr, size uint64) []byte {
	data, ok := m.Memory().Read(uint32(ptr), uint32(size)) //nolint:gosec // the guest gave them as i32
	if !ok {
		panic(&fault{Trap, "it gave the host a pointer outside of its memory"})
	}
	return data
}

// text copies text out of the guest's memory.
func text(m api.Module, ptr, size uint64) (string, bool) {
	data := view(m, ptr, size)
	return string(data), utf8.Valid(data)
}

// length is the second of a pair of arguments as a number.
func length(size uint64) int { return int(uint32(size)) } //nolint:gosec // the guest gave it as i32

// hostFunction is a function that the host offers. It gets and leaves its values
// on the stack.
type hostFunction func(c *call, m api.Module, stack []uint64)

// Call implements api.GoModuleFunction.
func (f hostFunction) Call(ctx context.Context, m api.Module, stack []uint64) {
	c := callOf(ctx)
	c.called = true
	f(c, m, stack)
}

func put(stack []uint64, status abi.Status) { stack[0] = api.EncodeI32(int32(status)) }

// putCount leaves a number of bytes, or a negated status.
func putCount(stack []uint64, n int, status abi.Status) {
	if status != abi.OK {
		n = -int(status)
	}
	stack[0] = api.EncodeI32(int32(n)) //nolint:gosec // at most the size of the memory
}
