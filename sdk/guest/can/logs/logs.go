// Package logs is imported by modules whose runtime can show what containers print.
package logs

import (
	"context"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
	"github.com/lightshuttle/lightshuttle/sdk/enginelog"
	"github.com/lightshuttle/lightshuttle/sdk/guest"
)

func init() { guest.Warm[abi.Request[abi.LogsArgs]]() }

//go:wasmexport ls_logs
func logs() int32 {
	return guest.Operation(abi.Logs, func(ctx context.Context, rt sdk.Logger, args abi.LogsArgs) (abi.None, error) {
		if f, ok := rt.(enginelog.Forwarder); ok {
			return abi.None{}, f.ForwardLogs(ctx, args.ID, args.Options, guest.ForwardLog)
		}
		return abi.None{}, rt.Logs(ctx, args.ID, args.Options, func(entry sdk.LogEntry) error { return guest.WriteLog(ctx, entry) })
	})
}
