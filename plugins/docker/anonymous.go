package docker

import (
	"context"
	"errors"
	"maps"
	"path"
	"slices"
	"sync"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/volume"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// An engine makes a container's anonymous volumes before it writes the container
// down, and removes them after it has forgotten it. When it is killed in between,
// nobody can tell whose they are; so they are asked for with labels. That takes
// knowing which volumes an image declares.

// declaredVolumes are the paths that images declare as volumes, by the name of
// the image as it was last seen.
type declaredVolumes struct {
	mu    sync.Mutex
	paths map[string][]string
}

func (d *declaredVolumes) put(ref string, seen image.InspectResponse) {
	var paths []string
	if seen.Config != nil {
		paths = slices.Sorted(maps.Keys(seen.Config.Volumes))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.paths == nil {
		d.paths = map[string][]string{}
	}
	d.paths[ref] = paths
}

func (d *declaredVolumes) get(ref string) (paths []string, known bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	paths, known = d.paths[ref]
	return paths, known
}

// withAnonymous gives the container's anonymous volumes labels, those that its
// image declares among them.
func (r *Runtime) withAnonymous(ctx context.Context, spec sdk.Spec, wanted []mount.Mount) ([]mount.Mount, error) {
	paths, known := r.declared.get(spec.Image)
	if !known {
		// What is wrong with the image is for the creation to say.
		if there, err := r.imageIsThere(ctx, spec.Image); err != nil || !there {
			return wanted, nil //nolint:nilerr // see above
		}
		paths, _ = r.declared.get(spec.Image)
	}
	for _, target := range paths {
		if !isMounted(spec, target) {
			wanted = append(wanted, mount.Mount{Type: mount.TypeVolume, Target: target})
		}
	}
	if !slices.ContainsFunc(wanted, isAnonymous) {
		return wanted, nil
	}
	info, err := r.engine(ctx)
	if err != nil {
		return nil, r.typed(ctx, "start", spec.Resource, err)
	}
	if info.Name == "podman" {
		// It doesn't take labels here, and makes the image's volumes itself.
		return mounts(spec.Mounts), nil
	}
	labels := map[string]string{sdk.LabelAnonymous: "true"}
	for _, label := range []string{sdk.LabelProject, sdk.LabelResource, sdk.LabelRun} {
		if value := spec.EngineLabels()[label]; value != "" {
			labels[label] = value
		}
	}
	for i := range wanted {
		if isAnonymous(wanted[i]) {
			wanted[i].VolumeOptions = &mount.VolumeOptions{Labels: labels}
		}
	}
	return wanted, nil
}

func isAnonymous(m mount.Mount) bool { return m.Type == mount.TypeVolume && m.Source == "" }

func isMounted(spec sdk.Spec, target string) bool {
	return slices.ContainsFunc(spec.Mounts, func(m sdk.Mount) bool { return path.Clean(m.Target) == path.Clean(target) })
}

// RemoveOrphans implements sdk.OrphanRemover.
func (r *Runtime) RemoveOrphans(ctx context.Context, project string) error {
	if _, err := r.negotiated(ctx); err != nil {
		return r.typed(ctx, "volume", "", err)
	}
	found, err := r.api.VolumeList(ctx, volume.ListOptions{Filters: filters.NewArgs(
		filters.Arg("label", sdk.LabelProject+"="+project),
		filters.Arg("label", sdk.LabelAnonymous),
		filters.Arg("dangling", "true"),
	)})
	if err != nil {
		return r.typed(ctx, "volume", "", err)
	}
	var failures []error
	for _, orphan := range found.Volumes {
		err := r.api.VolumeRemove(ctx, orphan.Name, false)
		if cerrdefs.IsNotFound(err) || cerrdefs.IsConflict(err) {
			continue // gone, or a container's again
		}
		failures = append(failures, r.typed(ctx, "volume", "", err))
	}
	return errors.Join(failures...)
}
