package docker

import (
	"context"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
)

// Stop implements sdk.Runtime. The engine counts grace periods in seconds. It
// is always told one: without, podman's kills at once. When ctx ends, the
// engine goes on with what it was asked.
func (r *Runtime) Stop(ctx context.Context, id string, grace time.Duration) error {
	seconds := wholeSeconds(grace)
	options := container.StopOptions{Timeout: &seconds}
	err := r.api.ContainerStop(ctx, id, options)
	if err != nil && strings.Contains(err.Error(), "paused") {
		// A paused process can't obey a signal, so old engines refuse.
		if err := r.api.ContainerUnpause(ctx, id); err != nil && !cerrdefs.IsNotFound(err) {
			return r.typed(ctx, "stop", "", err)
		}
		err = r.api.ContainerStop(ctx, id, options)
	}
	if cerrdefs.IsNotFound(err) || cerrdefs.IsNotModified(err) {
		return nil
	}
	return r.typed(ctx, "stop", "", err)
}

// wholeSeconds rounds up, so that a short grace never becomes none.
func wholeSeconds(d time.Duration) int {
	if d <= 0 {
		return 0
	}
	return int((d-1)/time.Second) + 1
}
