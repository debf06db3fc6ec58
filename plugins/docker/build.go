package docker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"

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
// which has none, refuses the session.
func mayHaveBuildKit(engine *types.Ping, version string) bool {
	return engine.OSType != "windows" && versions.GreaterThanOrEqualTo(version, buildKitVersion)
}

// checkBuild looks whether there is something to build.
func checkBuild(spec sdk.Spec) error {
	wanted := spec.Build
	for _, path := range []string{wanted.Context, wanted.Dockerfile} {
		seen, err := os.Stat(path)
		if err == nil && seen.IsDir() == (path == wanted.Context) {
			continue
		}
		what, hint := "build context", "see build.context in the manifest"
		if path == wanted.Dockerfile {
			what, hint = "Dockerfile", "see build.dockerfile in the manifest"
		}
		if err == nil {
			err = errors.New("it is of the wrong kind: a context is a folder, a Dockerfile is a file")
		}
		return &sdk.Error{Code: sdk.CodeInvalid, Op: "build", Resource: spec.Resource, Err: fmt.Errorf("%s %s: %w", what, path, err), Hint: hint}
	}
	return nil
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
