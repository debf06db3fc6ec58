package docker

import (
	"context"
	"errors"
	"io"
	"regexp"
	"strconv"

	"github.com/docker/docker/api/types/build"
	"github.com/docker/docker/api/types/registry"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// buildClassic sends the context as a stream and has the engine's classic
// builder work on it.
func (r *Runtime) buildClassic(ctx context.Context, spec sdk.Spec, record *buildRecord) error {
	content, err := openContext(spec.Build)
	if err != nil {
		return err
	}
	options := buildOptions(spec)
	options.Version = build.BuilderV1
	options.Dockerfile = content.dockerfile
	options.AuthConfigs = r.allCredentials()

	body, sender := io.Pipe()
	sent := make(chan error, 1)
	go func() {
		err := content.write(sender)
		sender.CloseWithError(err)
		sent <- err
	}()
	response, err := r.api.ImageBuild(ctx, body, options)
	if err == nil {
		defer response.Body.Close()
		err = eachMessage(ctx, response.Body, record.classic)
	}
	// What the builder didn't read, it won't: this ends the sender.
	_ = body.Close()
	if sendErr := <-sent; sendErr != nil && !errors.Is(sendErr, io.ErrClosedPipe) {
		return &sdk.Error{Code: sdk.CodeInvalid, Op: "build", Resource: spec.Resource, Err: sendErr, Hint: "what the build doesn't need can be listed in .dockerignore"}
	}
	if errors.As(err, new(refusal)) && record.last != nil {
		record.failed = record.last
	}
	return err
}

// allCredentials are sent along, because the classic builder can't ask.
func (r *Runtime) allCredentials() map[string]registry.AuthConfig {
	all, err := r.config.GetAllCredentials()
	if err != nil {
		r.logger.Warn("no credentials", "error", err)
	}
	result := make(map[string]registry.AuthConfig, len(all))
	for host, found := range all {
		result[host] = registry.AuthConfig(found)
	}
	return result
}

// classicStep is how docker and podman announce a step. Podman counts the steps
// of each stage by themselves, and names the stage first.
var classicStep = regexp.MustCompile(`^(\[\d+/\d+\] )?(?:Step|STEP) (\d+)/(\d+) ?: (.*)`)

// classic reads one message of the classic builder.
func (r *buildRecord) classic(m message) {
	if m.Stream == "" {
		return
	}
	found := classicStep.FindStringSubmatch(m.Stream)
	if found == nil {
		if r.last != nil {
			r.printed(r.last, []byte(m.Stream))
		}
		return
	}
	if r.last != nil {
		r.completed(r.last)
	}
	stage, number, of, name := found[1], found[2], found[3], found[4]
	r.total, _ = strconv.ParseInt(of, 10, 64)
	r.began(r.step(stage+number), "["+number+"/"+of+"] "+name)
}
