package nerdctl

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/directory"
)

const (
	// startTimeout is how long a start that nobody wants any more may go on, so
	// that it is known what there is to remove.
	startTimeout = 5 * time.Second
	// cleanupTimeout bounds the removal of what a failed start has created.
	cleanupTimeout = 20 * time.Second
)

// startTries is how often a start is tried that containerd's restart monitor came
// in between of.
const startTries = 3

// Start implements sdk.Runtime. One process creates and starts the container.
func (r *Runtime) Start(ctx context.Context, spec sdk.Spec) (string, error) {
	c, err := r.runCall(spec)
	if err != nil {
		return "", err
	}
	for tries := 1; ; tries++ {
		if ctx.Err() != nil {
			return "", contextEnded(ctx, "start", spec.Resource)
		}
		id, err := r.startOnce(ctx, spec, c)
		if err == nil || tries == startTries || spec.Restart.Mode == "" || !stoppedBefore().MatchString(err.Error()) {
			return id, err
		}
		r.host.Log(sdk.LogDebug, fmt.Sprintf("%s was stopped by the engine's restart monitor before it was started; it is started again", spec.Resource))
	}
}

// stoppedBefore recognises the start of a container that is there, but doesn't
// run yet. Every ten seconds containerd's restart monitor ends those that have a
// restart policy, to start them itself.
var stoppedBefore = matching(`cannot start a container that has stopped`)

// startOnce leaves nothing behind when it fails.
func (r *Runtime) startOnce(ctx context.Context, spec sdk.Spec, c call) (string, error) {
	begun := r.names.Starting()
	defer begun()
	longer, cancel := outlive(ctx, startTimeout)
	defer cancel()
	output, err := r.runSpec(longer, spec, c)
	id := lastLine(output)
	if err == nil && !isID(id) {
		err = r.rubbish("start", output, errors.New("it isn't the id of a container"))
	}
	if err != nil {
		return "", r.startFailed(ctx, spec, err)
	}
	r.names.Put(id, directory.Identity{Name: spec.Name, Project: spec.Project, Resource: spec.Resource})
	if ctx.Err() != nil {
		return "", r.withRemnant(contextEnded(ctx, "start", spec.Resource), spec, r.removeFailed(ctx, id))
	}
	return id, nil
}

func isID(text string) bool {
	return len(text) >= 12 && strings.Trim(text, "0123456789abcdef") == ""
}

// startFailed removes what a failed start has left behind, which is what has
// its name and its labels.
func (r *Runtime) startFailed(ctx context.Context, spec sdk.Spec, cause error) error {
	if ctx.Err() != nil && (sdk.IsCode(cause, sdk.CodeCancelled) || sdk.IsCode(cause, sdk.CodeTimeout)) {
		cause = contextEnded(ctx, "start", spec.Resource)
	}
	looking, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	holder, err := r.Inspect(looking, spec.Name)
	if sdk.IsCode(cause, sdk.CodeConflict) {
		return r.nameTaken(spec, holder, err, cause)
	}
	if gone(err) {
		if spec.Pull == sdk.PullNever && sdk.IsCode(cause, sdk.CodeImageNotFound) {
			return spec.ImageMissing()
		}
		return cause
	}
	if sdk.IsCode(cause, sdk.CodeUnavailable) && err != nil {
		return cause // there was no engine to leave anything on
	}
	if err == nil && spec.Made(holder.Labels) {
		err = r.Remove(looking, holder.ID)
	}
	return r.withRemnant(cause, spec, err)
}

// removeFailed removes a container that nobody wants, whatever became of the
// caller's context.
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
	r.host.Log(sdk.LogWarn, fmt.Sprintf("could not remove what a failed start of %s left: %v", spec.Resource, cleanup))
	with := *e
	with.Hint = strings.TrimLeft(fmt.Sprintf("%s\nthe container %s may be left: %s rm -f -v %s", e.Hint, spec.Name, r.dialect.name, spec.Name), "\n")
	return &with
}

// nameTaken says whose container has the name. It is never removed here.
func (r *Runtime) nameTaken(spec sdk.Spec, holder sdk.State, lookErr, cause error) error {
	if lookErr != nil {
		return cause
	}
	e := &sdk.Error{Code: sdk.CodeConflict, Op: "start", Resource: spec.Resource}
	if holder.Project == spec.Project && holder.Resource == spec.Resource {
		e.Err = fmt.Errorf("a container %s of this project is there already (%s)", spec.Name, short(holder.ID))
		e.Hint = "run `lightshuttle down` first"
		return e
	}
	e.Err = fmt.Errorf("the name %s is taken by a container that isn't LightShuttle's (%s, image %s)", spec.Name, short(holder.ID), holder.Image)
	e.Hint = fmt.Sprintf("rename or remove it yourself: %s rm -f %s", r.dialect.name, short(holder.ID))
	return e
}

func short(id string) string { return id[:min(len(id), 12)] }

// Validate implements sdk.Validator.
func (r *Runtime) Validate(ctx context.Context, spec sdk.Spec) error {
	if _, err := r.runCall(spec); err != nil {
		return err
	}
	if err := r.secretArgs(spec); err != nil {
		return err
	}
	if spec.Restart.Mode == sdk.RestartOnFailure {
		if err := r.checkOnFailure(ctx, spec); err != nil {
			return err
		}
	}
	if spec.Build != nil || spec.Pull != sdk.PullNever {
		return nil
	}
	there, err := r.imageIsThere(ctx, "validate", spec)
	if err != nil || there {
		return err
	}
	return spec.ImageMissing()
}

// checkOnFailure refuses a policy that containerd has only since version 1.7;
// before, it says so itself, when the container is created.
func (r *Runtime) checkOnFailure(ctx context.Context, spec sdk.Spec) error {
	if !r.dialect.namespaced {
		return nil
	}
	output, err := r.run(ctx, call{op: "validate", resource: spec.Resource, args: []string{"version", "--format", "{{json .}}"}})
	if err != nil {
		return err
	}
	var version struct {
		Server struct {
			Components []struct{ Name, Version string }
		}
	}
	if err := json.Unmarshal(output, &version); err != nil {
		return r.rubbish("validate", output, err)
	}
	for _, component := range version.Server.Components {
		text := strings.TrimPrefix(component.Version, "v")
		if component.Name == "containerd" && oldContainerd().MatchString(text) {
			return unsupported(spec, "restart", "containerd "+text+" knows no policy but always")
		}
	}
	return nil
}

var oldContainerd = matching(`^(0|1\.[0-6])\.`)
