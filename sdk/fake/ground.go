package fake

import (
	"context"
	"maps"
	"slices"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// EnsureNetwork implements sdk.Networker.
func (r *Runtime) EnsureNetwork(ctx context.Context, network sdk.Network) (bool, error) {
	if err := r.networkPhase.play(ctx); err != nil {
		return false, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	created := !r.networks[network.Name]
	r.networks[network.Name] = true
	return created, nil
}

// RemoveNetwork implements sdk.Networker.
func (r *Runtime) RemoveNetwork(_ context.Context, network sdk.Network) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.networks, network.Name)
	return nil
}

// EnsureVolume implements sdk.Volumer.
func (r *Runtime) EnsureVolume(_ context.Context, volume sdk.Volume) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	created := !r.volumes[volume.Name]
	r.volumes[volume.Name] = true
	return created, nil
}

// ListVolumes implements sdk.Volumer.
func (r *Runtime) ListVolumes(_ context.Context, project string) ([]sdk.Volume, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var volumes []sdk.Volume
	for _, name := range slices.Sorted(maps.Keys(r.volumes)) {
		volumes = append(volumes, sdk.Volume{Name: name, Project: project})
	}
	return volumes, nil
}

// RemoveVolume implements sdk.Volumer.
func (r *Runtime) RemoveVolume(_ context.Context, volume sdk.Volume) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.volumes, volume.Name)
	return nil
}
