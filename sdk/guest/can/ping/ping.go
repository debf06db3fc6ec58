// Package ping is imported by modules whose runtime can ask whether its engine is there.
package ping

import (
	"context"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
	"github.com/lightshuttle/lightshuttle/sdk/guest"
)

//go:wasmexport ls_ping
func ping() int32 {
	return guest.Operation(abi.Ping, func(ctx context.Context, rt sdk.Pinger, _ abi.None) (abi.InfoResult, error) {
		info, err := rt.Ping(ctx)
		return abi.InfoResult{Info: info}, err
	})
}
