// Package exec is imported by modules whose runtime can run commands inside of containers.
package exec

import (
	"context"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
	"github.com/lightshuttle/lightshuttle/sdk/guest"
)

func init() {
	guest.Warm[abi.Request[abi.ExecArgs]]()
	guest.Warm[abi.ExecResult]()
}

//go:wasmexport ls_exec
func exec() int32 {
	return guest.Operation(abi.Exec, func(ctx context.Context, rt sdk.Execer, args abi.ExecArgs) (abi.ExecResult, error) {
		args.Options.Stdout, args.Options.Stderr = guest.Stdout(ctx), guest.Stderr(ctx)
		code, err := rt.Exec(ctx, args.ID, args.Options)
		return abi.ExecResult{ExitCode: code}, err
	})
}
