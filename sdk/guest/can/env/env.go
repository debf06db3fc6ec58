// Package env is imported by modules whose runtime can tell the environment of a container.
package env

import (
	"context"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
	"github.com/lightshuttle/lightshuttle/sdk/guest"
)

func init() {
	guest.Warm[abi.EnvResult]()
	guest.Warm[abi.Request[abi.IDArgs]]()
}

//go:wasmexport ls_env
func env() int32 {
	return guest.Operation(abi.Env, func(ctx context.Context, rt sdk.EnvReader, args abi.IDArgs) (abi.EnvResult, error) {
		env, err := rt.Env(ctx, args.ID)
		return abi.EnvResult{Env: env}, err
	})
}
