package docker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"

	"github.com/lightshuttle/lightshuttle/sdk"
)

const (
	// creationTimeout is how long an engine may take to answer a creation after
	// nobody wants it any more.
	creationTimeout = 5 * time.Second
	// cleanupTimeout bounds the removal of what a failed start has created.
	cleanupTimeout = 20 * time.Second
)

// Start implements sdk.Runtime. It creates and starts the container and does
// nothing else: image, network and volumes are there already.
func (r *Runtime) Start(ctx context.Context, spec sdk.Spec) (string, error) {
	if err := r.checkSpec(spec); err != nil {
		return "", err
	}
	if ctx.Err() != nil {
		return "", contextEnded(ctx, "start", spec.Resource)
	}
	if _, err := r.negotiated(ctx); err != nil {
		return "", r.typed(ctx, "start", spec.Resource, err)
	}
	id, err := r.create(ctx, spec)
	if err != nil {
		return "", err
	}
	if err := r.api.ContainerStart(ctx, id, container.StartOptions{}); err != nil {
		err = r.typed(ctx, "start", spec.Resource, err)
		return "", r.withRemnant(err, spec, r.removeFailed(ctx, id))
	}
	return id, nil
}

// create makes the container. Creating takes the engine some milliseconds, and
// it doesn't stop at it when the request is cut. So the request is let live a
// little longer than ctx: then it is known what there is to remove.
func (r *Runtime) create(ctx context.Context, spec sdk.Spec) (string, error) {
	hosts, err := r.extraHosts(ctx, spec)
	if err != nil {
		return "", err
	}
	configuration, host, networking := createConfig(spec, r.api.ClientVersion())
	host.ExtraHosts = hosts
	if host.Mounts, err = r.withAnonymous(ctx, spec, host.Mounts); err != nil {
		return "", err
	}
	longer, cancel := outlive(ctx, creationTimeout)
	defer cancel()
	created, err := r.api.ContainerCreate(longer, configuration, host, networking, nil, spec.Name)
	for attempt := 0; err != nil && nameExists(err) && attempt < remnantAttempts && r.remnantGone(ctx, spec); attempt++ {
		created, err = r.api.ContainerCreate(longer, configuration, host, networking, nil, spec.Name)
	}
	if err != nil {
		return "", r.createFailed(ctx, spec, err)
	}
	for _, warning := range created.Warnings {
		r.logger.Debug("engine warning", "resource", spec.Resource, "warning", warning)
	}
	if ctx.Err() != nil {
		return "", r.withRemnant(contextEnded(ctx, "start", spec.Resource), spec, r.removeFailed(ctx, created.ID))
	}
	return created.ID, nil
}

const (
	remnantAttempts = 20
	// remnantPause is between two looks at a name that is taken while there is
	// no container of that name yet: an engine takes some time to make one.
	remnantPause = 250 * time.Millisecond
)

// remnantGone sees to a name that is taken by what a run that was killed had
// just asked for: the engine goes on making it, and nobody will ever start it.
// It says whether another try is worth it.
func (r *Runtime) remnantGone(ctx context.Context, spec sdk.Spec) bool {
	holder, err := r.api.ContainerInspect(ctx, spec.Name)
	if cerrdefs.IsNotFound(err) {
		pause := time.NewTimer(remnantPause)
		defer pause.Stop()
		select {
		case <-ctx.Done():
			return false
		case <-pause.C:
			return true
		}
	}
	if err != nil || !isRemnant(spec, holder) {
		return false
	}
	r.logger.Info("removing what a run that was cut off left", "resource", spec.Resource, "container", short(holder.ID))
	return r.Remove(ctx, holder.ID) == nil
}

// isRemnant says whether another run made this container for the same resource
// and never came to start it.
func isRemnant(spec sdk.Spec, holder container.InspectResponse) bool {
	labels := holder.Config.Labels
	return holder.State.Status == container.StateCreated && labels[sdk.LabelProject] == spec.Project &&
		labels[sdk.LabelResource] == spec.Resource && labels[sdk.LabelRun] != spec.Labels[sdk.LabelRun]
}

// outlive returns a context that ends a while after ctx does.
func outlive(ctx context.Context, while time.Duration) (context.Context, func()) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var timer *time.Timer
	armed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(armed)
		timer = time.AfterFunc(while, cancel)
	})
	return longer, func() {
		if !stop() {
			<-armed
			timer.Stop()
		}
		cancel()
	}
}

// checkSpec refuses what this engine can't honour.
func (r *Runtime) checkSpec(spec sdk.Spec) error {
	for _, m := range spec.Mounts {
		if m.Type != sdk.MountBind {
			continue
		}
		if _, err := os.Stat(m.Source); errors.Is(err, os.ErrNotExist) && r.local {
			return &sdk.Error{
				Code: sdk.CodeInvalid, Op: "start", Resource: spec.Resource,
				Err:  fmt.Errorf("volume %s:%s: there is no %s on this machine", m.Source, m.Target, m.Source),
				Hint: "create it first, or correct the path",
			}
		}
	}
	return nil
}

// Validate implements sdk.Validator.
func (r *Runtime) Validate(ctx context.Context, spec sdk.Spec) error {
	if err := r.checkSpec(spec); err != nil {
		return err
	}
	if spec.Build != nil {
		return checkBuild(spec)
	}
	if spec.Pull != sdk.PullNever {
		return nil
	}
	there, err := r.imageIsThere(ctx, spec.Image)
	if err != nil {
		return r.typed(ctx, "validate", spec.Resource, err)
	}
	if there {
		return nil
	}
	return spec.ImageMissing()
}

// createFailed finds out what a failed creation has left behind.
func (r *Runtime) createFailed(ctx context.Context, spec sdk.Spec, cause error) error {
	if nameExists(cause) {
		return r.nameTaken(ctx, spec, cause)
	}
	if cerrdefs.IsNotFound(cause) && spec.Pull == sdk.PullNever {
		return spec.ImageMissing()
	}
	err := r.typed(ctx, "start", spec.Resource, cause)
	_, unanswered := silent(cause)
	if neverSent(cause) || !cutOff(cause) && !contextual(cause) && !unanswered {
		return err // The engine refused or never knew, so there is nothing.
	}
	return r.withRemnant(err, spec, r.removeUnanswered(ctx, spec))
}

// removeUnanswered removes what the engine made of a request that it didn't
// answer. It may still be about to make it, so one look isn't enough.
func (r *Runtime) removeUnanswered(ctx context.Context, spec sdk.Spec) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	for _, pause := range []time.Duration{0, 50 * time.Millisecond, 200 * time.Millisecond, time.Second} {
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
		seen, err := r.api.ContainerInspect(ctx, spec.Name)
		if cerrdefs.IsNotFound(err) {
			continue
		}
		if err != nil {
			return err
		}
		if !spec.Made(seen.Config.Labels) {
			return nil
		}
		return r.Remove(ctx, seen.ID)
	}
	return nil
}

// removeFailed removes a container that could not be started, whatever became
// of the caller's context.
func (r *Runtime) removeFailed(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	return r.Remove(ctx, id)
}

// withRemnant says in err's hint what could not be cleaned up.
func (r *Runtime) withRemnant(err error, spec sdk.Spec, cleanup error) error {
	e, ok := errors.AsType[*sdk.Error](err)
	if cleanup == nil || !ok {
		return err
	}
	r.logger.Warn("could not remove what a failed start left", "resource", spec.Resource, "container", spec.Name, "error", cleanup)
	with := *e
	with.Hint = fmt.Sprintf("the container %s may be left: docker rm -f -v %s", spec.Name, spec.Name)
	if e.Hint != "" {
		with.Hint = e.Hint + "\n" + with.Hint
	}
	return &with
}

// nameTaken says whose container has the name. It is never removed here.
func (r *Runtime) nameTaken(ctx context.Context, spec sdk.Spec, cause error) error {
	e := &sdk.Error{Code: sdk.CodeConflict, Op: "start", Resource: spec.Resource, Err: reworded{plain(cause), cause}}
	holder, err := r.api.ContainerInspect(ctx, spec.Name)
	if err != nil {
		return e
	}
	labels := holder.Config.Labels
	if labels[sdk.LabelProject] == spec.Project && labels[sdk.LabelResource] == spec.Resource {
		e.Err = fmt.Errorf("a container %s of this project is there already (%s)", spec.Name, short(holder.ID))
		e.Hint = "run `lightshuttle down` first"
		return e
	}
	e.Err = fmt.Errorf("the name %s is taken by a container that isn't LightShuttle's (%s, image %s)", spec.Name, short(holder.ID), holder.Config.Image)
	e.Hint = fmt.Sprintf("rename or remove it yourself: docker rm -f %s", short(holder.ID))
	return e
}

func short(id string) string { return id[:min(len(id), 12)] }
