// Package events is imported by modules whose runtime can tell what happens to containers.
package events

import (
	"context"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
	"github.com/lightshuttle/lightshuttle/sdk/guest"
)

func init() { guest.Warm[abi.Emission]() }

//go:wasmexport ls_events
func events() int32 {
	return guest.Operation(abi.Events, func(ctx context.Context, rt sdk.Watcher, args abi.EventsArgs) (abi.None, error) {
		events, err := rt.Watch(ctx, args.Project, args.Since)
		if err != nil {
			return abi.None{}, err
		}
		if err := guest.Emit(ctx, abi.Emission{Type: abi.EmitSubscribed}); err != nil {
			return abi.None{}, err
		}
		for event := range events {
			if err := guest.Emit(ctx, abi.FromEvent(event)); err != nil {
				return abi.None{}, err
			}
		}
		return abi.None{}, ctx.Err()
	})
}
