// Package inspect is imported by modules whose runtime can look at one container.
package inspect

import (
	"context"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
	"github.com/lightshuttle/lightshuttle/sdk/guest"
)

func init() { guest.Warm[abi.Request[abi.IDArgs]]() }

//go:wasmexport ls_inspect
func inspect() int32 {
	return guest.Operation(abi.Inspect, func(ctx context.Context, rt sdk.Inspector, args abi.IDArgs) (abi.StateResult, error) {
		state, err := rt.Inspect(ctx, args.ID)
		return abi.StateResult{State: state}, err
	})
}
