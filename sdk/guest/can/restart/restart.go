// Package restart is imported by modules whose runtime can set restart policies.
package restart

import (
	"context"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
	"github.com/lightshuttle/lightshuttle/sdk/guest"
)

//go:wasmexport ls_restart_policy
func restart() int32 {
	return guest.Operation(abi.RestartPolicy, func(ctx context.Context, rt sdk.Restarter, args abi.RestartPolicyArgs) (abi.None, error) {
		return abi.None{}, rt.SetRestart(ctx, args.ID, args.Restart)
	})
}
