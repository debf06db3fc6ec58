package docker

import (
	"context"
	"maps"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/volume"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// EnsureVolume implements sdk.Volumer.
func (r *Runtime) EnsureVolume(ctx context.Context, wanted sdk.Volume) (bool, error) {
	there, err := r.ownVolume(ctx, wanted)
	if err != nil || there {
		return false, err
	}
	labels := map[string]string{sdk.LabelProject: wanted.Project}
	maps.Copy(labels, wanted.Labels)
	longer, cancel := outlive(ctx, creationTimeout)
	defer cancel()
	made, err := r.api.VolumeCreate(longer, volume.CreateOptions{Name: wanted.Name, Labels: labels})
	if err != nil {
		return false, r.typed(ctx, "volume", "", err)
	}
	// The engine answers a creation with the volume of that name, whoever made
	// it a moment ago.
	if made.Labels[sdk.LabelProject] != wanted.Project {
		return false, foreign("volume", wanted.Name, wanted.Project, "docker volume rm "+wanted.Name)
	}
	return true, nil
}

func (r *Runtime) ownVolume(ctx context.Context, wanted sdk.Volume) (bool, error) {
	seen, err := r.api.VolumeInspect(ctx, wanted.Name)
	if cerrdefs.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, r.typed(ctx, "volume", "", err)
	}
	if seen.Labels[sdk.LabelProject] != wanted.Project {
		return false, foreign("volume", wanted.Name, wanted.Project, "docker volume rm "+wanted.Name)
	}
	return true, nil
}

// ListVolumes implements sdk.Volumer.
func (r *Runtime) ListVolumes(ctx context.Context, project string) ([]sdk.Volume, error) {
	if _, err := r.negotiated(ctx); err != nil {
		return nil, r.typed(ctx, "volume", "", err)
	}
	found, err := r.api.VolumeList(ctx, volume.ListOptions{Filters: filters.NewArgs(filters.Arg("label", sdk.LabelProject+"="+project))})
	if err != nil {
		return nil, r.typed(ctx, "volume", "", err)
	}
	var volumes []sdk.Volume
	for _, seen := range found.Volumes {
		if seen.Labels[sdk.LabelAnonymous] != "" {
			continue
		}
		volumes = append(volumes, sdk.Volume{Name: seen.Name, Project: project, Labels: seen.Labels})
	}
	return volumes, nil
}

// RemoveVolume implements sdk.Volumer.
func (r *Runtime) RemoveVolume(ctx context.Context, wanted sdk.Volume) error {
	there, err := r.ownVolume(ctx, wanted)
	if err != nil || !there {
		return err
	}
	err = r.api.VolumeRemove(ctx, wanted.Name, false)
	if cerrdefs.IsNotFound(err) {
		return nil
	}
	return r.typed(ctx, "volume", "", err)
}
