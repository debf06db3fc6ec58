package docker

import (
	"context"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Remove implements sdk.Remover.
func (r *Runtime) Remove(ctx context.Context, id string) error {
	options := container.RemoveOptions{Force: true, RemoveVolumes: true}
	err := r.api.ContainerRemove(ctx, id, options)
	if err != nil && strings.Contains(err.Error(), "could not be stopped") {
		// podman fails when the container ends by itself just then.
		err = r.api.ContainerRemove(ctx, id, options)
	}
	if cerrdefs.IsNotFound(err) {
		return nil
	}
	if err != nil && underRemoval(err) {
		err = r.awaitRemoval(ctx, id)
	}
	return r.typed(ctx, "remove", "", err)
}

// underRemoval recognises "removal of container … is already in progress".
func underRemoval(err error) bool {
	return cerrdefs.IsConflict(err) && strings.Contains(err.Error(), "already in progress")
}

// awaitRemoval waits for a removal that somebody else began.
func (r *Runtime) awaitRemoval(ctx context.Context, id string) error {
	heard, leave, err := r.events.subscribe(ctx, time.Time{})
	if err != nil {
		return err
	}
	defer leave()
	for {
		seen, err := r.api.ContainerInspect(ctx, id)
		if cerrdefs.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		if seen.State.Status == container.StateDead {
			// That removal failed, and there won't be an event.
			return &sdk.Error{
				Code: sdk.CodeConflict, Op: "remove", Resource: seen.Config.Labels[sdk.LabelResource],
				Err:  reworded{"somebody else's removal of it failed: " + seen.State.Error, nil},
				Hint: "try again: docker rm -f " + short(seen.ID),
			}
		}
		if err := r.anyEvent(ctx, heard, seen.ID); err != nil {
			return err
		}
	}
}
