// Package network is imported by modules whose runtime can make networks.
package network

import (
	"context"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
	"github.com/lightshuttle/lightshuttle/sdk/guest"
)

func init() {
	guest.Warm[abi.Request[abi.NetworkArgs]]()
	guest.Warm[abi.CreatedResult]()
}

//go:wasmexport ls_network_ensure
func ensure() int32 {
	return guest.Operation(abi.NetworkEnsure, func(ctx context.Context, rt sdk.Networker, args abi.NetworkArgs) (abi.CreatedResult, error) {
		created, err := rt.EnsureNetwork(ctx, args.Network)
		return abi.CreatedResult{Created: created}, err
	})
}

//go:wasmexport ls_network_remove
func remove() int32 {
	return guest.Operation(abi.NetworkRemove, func(ctx context.Context, rt sdk.Networker, args abi.NetworkArgs) (abi.None, error) {
		return abi.None{}, rt.RemoveNetwork(ctx, args.Network)
	})
}
