// Package remove is imported by modules whose runtime can remove containers.
package remove

import (
	"context"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
	"github.com/lightshuttle/lightshuttle/sdk/guest"
)

func init() { guest.Warm[abi.Request[abi.IDArgs]]() }

//go:wasmexport ls_remove
func remove() int32 {
	return guest.Operation(abi.Remove, func(ctx context.Context, rt sdk.Remover, args abi.IDArgs) (abi.None, error) {
		return abi.None{}, rt.Remove(ctx, args.ID)
	})
}
