// Package list is imported by modules whose runtime can find the containers of a project.
package list

import (
	"context"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
	"github.com/lightshuttle/lightshuttle/sdk/guest"
)

func init() {
	guest.Warm[abi.Request[abi.ProjectArgs]]()
	guest.Warm[abi.StatesResult]()
}

//go:wasmexport ls_list
func list() int32 {
	return guest.Operation(abi.List, func(ctx context.Context, rt sdk.Lister, args abi.ProjectArgs) (abi.StatesResult, error) {
		states, err := rt.List(ctx, args.Project)
		return abi.StatesResult{States: states}, err
	})
}
