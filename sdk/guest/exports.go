package guest

import (
	"context"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

//go:wasmexport lightshuttle_abi_v1
func marker() {}

//go:wasmexport ls_start
func start() int32 {
	return Operation(abi.Start, func(ctx context.Context, rt sdk.Runtime, args abi.SpecArgs) (abi.StartResult, error) {
		id, err := rt.Start(ctx, args.Spec)
		return abi.StartResult{ID: id}, err
	})
}

//go:wasmexport ls_stop
func stop() int32 {
	return Operation(abi.Stop, func(ctx context.Context, rt sdk.Runtime, args abi.StopArgs) (abi.None, error) {
		return abi.None{}, rt.Stop(ctx, args.ID, args.Grace.Std())
	})
}

//go:wasmexport ls_wait_healthy
func waitHealthy() int32 {
	return Operation(abi.WaitHealthy, func(ctx context.Context, rt sdk.Runtime, args abi.WaitHealthyArgs) (abi.StateResult, error) {
		state, err := rt.WaitHealthy(ctx, args.ID, args.Healthcheck)
		return abi.StateResult{State: state}, err
	})
}
