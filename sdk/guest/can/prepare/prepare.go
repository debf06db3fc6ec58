// Package prepare is imported by modules whose runtime can pull or build images ahead of their containers.
package prepare

import (
	"context"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
	"github.com/lightshuttle/lightshuttle/sdk/guest"
)

func init() { guest.Warm[abi.PreparedResult]() }

//go:wasmexport ls_prepared
func prepared() int32 {
	return guest.Operation(abi.Prepared, func(ctx context.Context, rt sdk.Preparer, args abi.SpecArgs) (abi.PreparedResult, error) {
		prepared, err := rt.Prepared(ctx, args.Spec)
		return abi.PreparedResult{Prepared: prepared}, err
	})
}

//go:wasmexport ls_prepare
func prepare() int32 {
	return guest.Operation(abi.Prepare, func(ctx context.Context, rt sdk.Preparer, args abi.SpecArgs) (abi.None, error) {
		return abi.None{}, rt.Prepare(ctx, args.Spec, func(progress sdk.Progress) {
			// Who doesn't listen any more has cancelled the operation.
			_ = guest.Emit(ctx, abi.Emission{Type: abi.EmitProgress, Progress: &progress})
		})
	})
}
