package docker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// cleanupTimeout bounds the removal of what a failed start has created.
const cleanupTimeout = 20 * time.Second

// Start implements sdk.Runtime. It creates and starts the container and does
// nothing else: image, network and volumes are there already.
func (r *Runtime) Start(ctx context.Context, spec sdk.Spec) (string, error) {
	if err := r.checkSpec(spec); err != nil {
		return "", err
	}
	configuration, host, networking := createConfig(spec, r.api.ClientVersion())
	created, err := r.api.ContainerCreate(ctx, configuration, host, networking, nil, spec.Name)
	if err != nil {
		return "", r.createFailed(ctx, spec, err)
	}
	for _, warning := range created.Warnings {
		r.logger.Debug("engine warning", "resource", spec.Resource, "warning", warning)
	}
	if err := r.api.ContainerStart(ctx, created.ID, container.StartOptions{}); err != nil {
		r.removeFailed(ctx, created.ID)
		return "", r.typed("start", spec.Resource, err)
	}
	return created.ID, nil
}

// checkSpec refuses what this engine can't honour.
func (r *Runtime) checkSpec(spec sdk.Spec) error {
	for _, m := range spec.Mounts {
		if m.Type != sdk.MountBind {
			continue
		}
		if _, err := os.Stat(m.Source); errors.Is(err, os.ErrNotExist) && r.local() {
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
	if spec.Build != nil || spec.Pull != sdk.PullNever {
		return nil
	}
	there, err := r.imageIsThere(ctx, spec.Image)
	if err != nil {
		return r.typed("look for the image", spec.Resource, err)
	}
	if there {
		return nil
	}
	return imageMissing(spec)
}

func imageMissing(spec sdk.Spec) error {
	return &sdk.Error{
		Code: sdk.CodeImageNotFound, Op: "start", Resource: spec.Resource,
		Err:  fmt.Errorf("the image %s isn't on this engine, and pull is \"never\"", spec.Image),
		Hint: "build or pull it first, or set pull: missing",
	}
}

// createFailed finds out what a failed creation has left behind. A cancelled
// or broken request may have created the container all the same.
func (r *Runtime) createFailed(ctx context.Context, spec sdk.Spec, cause error) error {
	if cerrdefs.IsConflict(cause) {
		return r.nameTaken(ctx, spec, cause)
	}
	if cerrdefs.IsNotFound(cause) && spec.Pull == sdk.PullNever {
		return imageMissing(spec)
	}
	refused := cerrdefs.IsInvalidArgument(cause) || cerrdefs.IsNotFound(cause)
	if run := spec.Labels[sdk.LabelRun]; !refused && run != "" {
		r.removeRun(ctx, spec, run)
	}
	return r.typed("create", spec.Resource, cause)
}

// removeRun removes what this very run has created for the spec.
func (r *Runtime) removeRun(ctx context.Context, spec sdk.Spec, run string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	found, err := r.api.ContainerList(ctx, container.ListOptions{All: true, Filters: filters.NewArgs(
		filters.Arg("label", sdk.LabelRun+"="+run),
		filters.Arg("label", sdk.LabelResource+"="+spec.Resource),
	)})
	if err != nil {
		r.logger.Warn("could not look for what a failed creation left", "resource", spec.Resource, "error", err)
	}
	for _, left := range found {
		r.removeFailed(ctx, left.ID)
	}
}

// removeFailed removes a container that could not be started, whatever became
// of the caller's context.
func (r *Runtime) removeFailed(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	if err := r.Remove(ctx, id); err != nil {
		r.logger.Warn("could not remove a container that didn't start", "id", id, "error", err)
	}
}

// nameTaken says whose container has the name. It is never removed here.
func (r *Runtime) nameTaken(ctx context.Context, spec sdk.Spec, cause error) error {
	e := &sdk.Error{Code: sdk.CodeConflict, Op: "create", Resource: spec.Resource, Err: reworded{plain(cause), cause}}
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
