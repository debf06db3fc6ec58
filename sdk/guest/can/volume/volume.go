// Package volume is imported by modules whose runtime can make named volumes.
package volume

import (
	"context"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
	"github.com/lightshuttle/lightshuttle/sdk/guest"
)

func init() {
	guest.Warm[abi.Request[abi.VolumeArgs]]()
	guest.Warm[abi.CreatedResult]()
}

//go:wasmexport ls_volume_ensure
func ensure() int32 {
	return guest.Operation(abi.VolumeEnsure, func(ctx context.Context, rt sdk.Volumer, args abi.VolumeArgs) (abi.CreatedResult, error) {
		created, err := rt.EnsureVolume(ctx, args.Volume)
		return abi.CreatedResult{Created: created}, err
	})
}

//go:wasmexport ls_volume_list
func list() int32 {
	return guest.Operation(abi.VolumeList, func(ctx context.Context, rt sdk.Volumer, args abi.ProjectArgs) (abi.VolumesResult, error) {
		volumes, err := rt.ListVolumes(ctx, args.Project)
		return abi.VolumesResult{Volumes: volumes}, err
	})
}

//go:wasmexport ls_volume_remove
func remove() int32 {
	return guest.Operation(abi.VolumeRemove, func(ctx context.Context, rt sdk.Volumer, args abi.VolumeArgs) (abi.None, error) {
		return abi.None{}, rt.RemoveVolume(ctx, args.Volume)
	})
}
