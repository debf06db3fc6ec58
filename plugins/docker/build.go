package docker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"strconv"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/build"
	"github.com/docker/docker/api/types/versions"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// buildKitVersion is the first API version whose BuildKit is good.
const buildKitVersion = "1.39"

// build makes the image of the spec's build: with BuildKit where the engine has
// it, else with the classic builder.
func (r *Runtime) build(ctx context.Context, spec sdk.Spec, report func(sdk.Progress)) error {
	if err := checkBuild(spec); err != nil {
		return err
	}
	engine, err := r.negotiated(ctx)
	if err != nil {
		return r.typed(ctx, "build", spec.Resource, err)
	}
	spec = withReachableDockerfile(spec)
	record := newBuildRecord(spec, report)
	err = errNoBuildKit
	if mayHaveBuildKit(engine, r.api.ClientVersion()) {
		err = r.buildWithKit(ctx, spec, record)
	}
	if errors.Is(err, errNoBuildKit) {
		err = r.buildClassic(ctx, spec, record)
	}
	return r.buildFailed(ctx, spec, record, err)
}

// errNoBuildKit says that the engine has no BuildKit.
var errNoBuildKit = errors.New("the engine has no BuildKit")

// mayHaveBuildKit says whether trying makes sense. What the engine names as its
// builder is but its default: an old one has BuildKit and doesn't tell. Podman,
// which has none, refuses the session. DOCKER_BUILDKIT=0 says no, as it does to
// the docker command.
func mayHaveBuildKit(engine *types.Ping, version string) bool {
	if wanted, err := strconv.ParseBool(os.Getenv("DOCKER_BUILDKIT")); err == nil && !wanted {
		return false
	}
	return engine.OSType != "windows" && versions.GreaterThanOrEqualTo(version, buildKitVersion)
}

// buildOptions are what both builders are told.
func buildOptions(spec sdk.Spec) build.ImageBuildOptions {
	args := map[string]*string{}
	for name, value := range spec.Build.Args {
		args[name] = &value
	}
	// Labels that change from run to run would make a new image each time.
	labels := map[string]string{sdk.LabelProject: spec.Project, sdk.LabelResource: spec.Resource}
	maps.Copy(labels, spec.Build.Labels)
	return build.ImageBuildOptions{
		Tags: []string{spec.Image}, BuildArgs: args, Target: spec.Build.Target, Labels: labels,
		Remove: true, ForceRemove: true, PullParent: spec.Pull == sdk.PullAlways,
	}
}

// buildFailed is the error of a build, with its failing step and what that
// printed last.
func (r *Runtime) buildFailed(ctx context.Context, spec sdk.Spec, record *buildRecord, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil && (contextual(err) || cutOff(err) || errors.As(err, new(refusal))) {
		// A builder that was told to stop says so in its own words.
		return contextEnded(ctx, "build", spec.Resource)
	}
	said, ok := errors.AsType[refusal](err)
	if !ok && cerrdefs.IsInvalidArgument(err) {
		// The classic builder reads the Dockerfile before it answers.
		said, ok = refusal{plain(err)}, true
	}
	if !ok {
		return r.typed(ctx, "build", spec.Resource, err)
	}
	e := &sdk.Error{Code: sdk.CodeBuildFailed, Op: "build", Resource: spec.Resource, Output: record.output()}
	text := record.redact(plainBuild(said.text))
	if step := record.failedStep(); step != "" {
		e.Err = fmt.Errorf("step %q failed: %s", step, text)
	} else {
		e.Err = errors.New(text)
	}
	if known, ok := r.typed(ctx, "build", spec.Resource, errors.New(said.text)).(*sdk.Error); ok { //nolint:errorlint // typed returns this very type
		switch known.Code {
		case sdk.CodeImageNotFound, sdk.CodeUnauthorized, sdk.CodeUnavailable:
			e.Hint = known.Hint
		}
	}
	return e
}
