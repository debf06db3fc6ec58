package fake

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// pullTime is how long each of the parts of a pull or build takes.
const pullTime = 20 * time.Millisecond

// Publish puts an image of the test program where it can be pulled from.
func (e *Engine) Publish(name string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.registry[name] = true
}

// RemoveImage removes an image of the engine.
func (e *Engine) RemoveImage(name string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.images, name)
}

func (e *Engine) has(name string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	_, ok := e.images[name]
	return ok
}

// Validate implements sdk.Validator.
func (e *Engine) Validate(ctx context.Context, spec sdk.Spec) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := checkMounts(spec); err != nil {
		return err
	}
	if spec.Build == nil && spec.Pull == sdk.PullNever && !e.has(spec.Image) {
		return noImage("validate", spec)
	}
	return nil
}

// Prepared implements sdk.Preparer.
func (e *Engine) Prepared(ctx context.Context, spec sdk.Spec) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	return spec.Build == nil && spec.Pull != sdk.PullAlways && e.has(spec.Image), nil
}

// Prepare implements sdk.Preparer.
func (e *Engine) Prepare(ctx context.Context, spec sdk.Spec, report func(sdk.Progress)) error {
	if report == nil {
		report = func(sdk.Progress) {}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if spec.Build != nil {
		return e.build(ctx, spec, report)
	}
	if ready, err := e.Prepared(ctx, spec); ready || err != nil {
		return err
	}
	e.mu.Lock()
	offered := e.registry[spec.Image]
	e.mu.Unlock()
	if spec.Pull == sdk.PullNever || !offered {
		return noImage("pull", spec)
	}
	for part := range int64(3) {
		report(sdk.Progress{Action: "pull", Status: "downloading", Current: part, Total: 3})
		if err := pass(ctx, pullTime); err != nil {
			return err
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.images[spec.Image] = image{id: "pulled-" + spec.Image, command: []string{"serve"}}
	return nil
}

// build understands FROM, ENV and COPY, and arguments in ENV.
func (e *Engine) build(ctx context.Context, spec sdk.Spec, report func(sdk.Progress)) error {
	text, err := os.ReadFile(spec.Build.Dockerfile)
	if err != nil {
		return sdk.Errorf(sdk.CodeInvalid, "build", "%w", err)
	}
	made := image{id: "built-" + spec.Image, env: map[string]string{}}
	for step, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		report(sdk.Progress{Action: "build", Status: line, Current: int64(step)})
		if err := pass(ctx, pullTime); err != nil {
			return err
		}
		word, rest, _ := strings.Cut(line, " ")
		if err := e.buildStep(spec, &made, word, rest); err != nil {
			return sdk.Errorf(sdk.CodeBuildFailed, "build", "%s: %w", line, err)
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.images[spec.Image] = made
	return nil
}

func (e *Engine) buildStep(spec sdk.Spec, made *image, word, rest string) error {
	switch word {
	case "FROM":
		e.mu.Lock()
		defer e.mu.Unlock()
		base, ok := e.images[rest]
		if !ok {
			return fmt.Errorf("there is no image %s", rest)
		}
		made.command, made.check = base.command, base.check
	case "ENV":
		name, value, _ := strings.Cut(rest, "=")
		made.env[name] = os.Expand(value, func(argument string) string { return spec.Build.Args[argument] })
	case "COPY":
		source, _, _ := strings.Cut(rest, " ")
		_, err := os.Stat(filepath.Join(spec.Build.Context, source))
		return err
	}
	return nil
}
