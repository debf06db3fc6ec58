package docker

import (
	"context"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Stop implements sdk.Runtime. The engine counts grace periods in seconds.
func (r *Runtime) Stop(ctx context.Context, id string, grace time.Duration) error {
	seconds := int((grace + time.Second - 1) / time.Second)
	err := r.api.ContainerStop(ctx, id, container.StopOptions{Timeout: &seconds})
	if cerrdefs.IsNotFound(err) || cerrdefs.IsNotModified(err) {
		return nil
	}
	return r.typed("stop", "", err)
}

// Remove implements sdk.Remover.
func (r *Runtime) Remove(ctx context.Context, id string) error {
	err := r.api.ContainerRemove(ctx, id, container.RemoveOptions{Force: true, RemoveVolumes: true})
	if cerrdefs.IsNotFound(err) {
		return nil
	}
	if cerrdefs.IsConflict(err) {
		// "removal … is already in progress"
		return r.typed("remove", "", r.awaitRemoval(ctx, id))
	}
	return r.typed("remove", "", err)
}

// awaitRemoval waits for a removal that somebody else began.
func (r *Runtime) awaitRemoval(ctx context.Context, id string) error {
	events, cancel, err := r.events.subscribe(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	for {
		if _, err := r.api.ContainerInspect(ctx, id); err != nil {
			if cerrdefs.IsNotFound(err) {
				return nil
			}
			return err
		}
		if err := awaitEvent(ctx, events, id, sdk.EventRemoved); err != nil {
			return err
		}
	}
}
