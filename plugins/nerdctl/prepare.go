package nerdctl

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Prepared implements sdk.Preparer. A build always has something to do: whether
// the sources have changed is for the builder's cache to find out.
func (r *Runtime) Prepared(ctx context.Context, spec sdk.Spec) (bool, error) {
	if spec.Build != nil || spec.Pull == sdk.PullAlways {
		return false, nil
	}
	return r.imageIsThere(ctx, "prepare", spec)
}

func (r *Runtime) imageIsThere(ctx context.Context, op string, spec sdk.Spec) (bool, error) {
	_, err := r.run(ctx, call{op: op, resource: spec.Resource, args: []string{"image", "inspect", "--format", "{{.Id}}", spec.Image}})
	if sdk.IsCode(err, sdk.CodeImageNotFound) || gone(err) {
		return false, nil
	}
	return err == nil, err
}

// Prepare implements sdk.Preparer.
func (r *Runtime) Prepare(ctx context.Context, spec sdk.Spec, report func(sdk.Progress)) error {
	if report == nil {
		report = func(sdk.Progress) {}
	}
	if spec.Build != nil {
		return r.build(ctx, spec, report)
	}
	ready, err := r.Prepared(ctx, spec)
	if err != nil || ready {
		return err
	}
	if spec.Pull == sdk.PullNever {
		return spec.ImageMissing()
	}
	return r.pull(ctx, spec, report)
}

// pull fetches the image, or waits for who is fetching it already.
func (r *Runtime) pull(ctx context.Context, spec sdk.Spec, report func(sdk.Progress)) error {
	err := r.pulls.Get(ctx, spec, report, func(ctx context.Context, tell func(sdk.Progress)) error {
		return r.transfer(ctx, spec.Image, tell)
	})
	if ctx.Err() != nil {
		return contextEnded(ctx, "pull", spec.Resource)
	}
	return err
}

func (r *Runtime) transfer(ctx context.Context, image string, report func(sdk.Progress)) error {
	report(sdk.Progress{Action: "pull", Status: "asking the registry for " + image})
	_, err := r.follow(ctx, call{op: "pull", args: []string{"pull", image}}, "pull", nil, report)
	e, ok := errors.AsType[*sdk.Error](err)
	if !ok || e.Op != "pull" || ctx.Err() != nil {
		return err
	}
	with := *e
	with.Err = fmt.Errorf("image %s: %w", image, e.Err)
	if with.Code == sdk.CodeNotFound {
		with.Code = sdk.CodeImageNotFound
	}
	return &with
}

// secretArgs refuses secret arguments of a build that can't be given in secret.
func (r *Runtime) secretArgs(spec sdk.Spec) error {
	if spec.Build == nil {
		return nil
	}
	for _, name := range spec.Build.SecretArgs {
		why := ""
		switch {
		case r.dialect.buildsInTheOpen:
			why = r.dialect.name + " gives it to buildctl on its command line, where everybody on this machine can read it"
		case steersClient(name):
			why = "a secret of this name can't be given to " + r.dialect.name
		default:
			continue
		}
		e := sdk.Errorf(sdk.CodeUnsupported, "build", "build_args.%s: %s", name, why)
		e.Resource, e.Hint = spec.Resource, "give it to the container when it runs, with env or secrets; images remember the arguments of their build anyway"
		return e
	}
	return nil
}

// build makes the image. Values of arguments that are secret go through the
// client's environment.
func (r *Runtime) build(ctx context.Context, spec sdk.Spec, report func(sdk.Progress)) error {
	if err := r.secretArgs(spec); err != nil {
		return err
	}
	b := spec.Build
	args := []string{"build", "--tag", spec.Image, "--file", b.Dockerfile}
	if b.Target != "" {
		args = append(args, "--target", b.Target)
	}
	if r.dialect.name == "nerdctl" || r.dialect.name == "finch" {
		args = append(args, "--progress", "plain")
	}
	var env [][2]string
	var secrets []string
	for _, name := range slices.Sorted(maps.Keys(b.Args)) {
		if !slices.Contains(b.SecretArgs, name) {
			args = append(args, "--build-arg", name+"="+b.Args[name])
			continue
		}
		args = append(args, "--build-arg", name)
		env = append(env, [2]string{name, b.Args[name]})
		secrets = append(secrets, b.Args[name])
	}
	for _, name := range slices.Sorted(maps.Keys(b.Labels)) {
		args = append(args, "--label", name+"="+b.Labels[name])
	}
	args = append(args, b.Context)
	output, err := r.follow(ctx, call{op: "build", resource: spec.Resource, args: args, env: env}, "build", secrets, report)
	if err == nil || ctx.Err() != nil {
		return err
	}
	e, ok := errors.AsType[*sdk.Error](err)
	if !ok || e.Code == sdk.CodeUnavailable && e.Hint == r.dialect.install {
		return err
	}
	failed := &sdk.Error{Code: sdk.CodeBuildFailed, Op: "build", Resource: spec.Resource, Err: errors.New(redact(e.Err.Error(), secrets)), Output: output}
	switch e.Code {
	case sdk.CodeImageNotFound, sdk.CodeUnauthorized, sdk.CodeUnavailable:
		failed.Hint = e.Hint
	}
	if strings.Contains(e.Err.Error(), "buildkit") || strings.Contains(e.Err.Error(), "buildctl") {
		failed.Code, failed.Hint = sdk.CodeUnavailable, r.dialect.name+" builds with BuildKit: start buildkitd, and have buildctl on the path"
	}
	return failed
}

func redact(text string, secrets []string) string {
	sorted := slices.SortedFunc(slices.Values(secrets), func(a, b string) int { return len(b) - len(a) })
	for _, secret := range sorted {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	return text
}

// keptLines is how many of the last lines of a build or pull are kept.
const keptLines = 40

// follow runs a command to its end and reports each line that it prints. It
// returns the last of them.
func (r *Runtime) follow(ctx context.Context, c call, action string, secrets []string, report func(sdk.Progress)) (string, error) {
	p, err := r.spawn(ctx, c)
	if err != nil {
		return "", err
	}
	defer p.Close()
	var mu sync.Mutex
	var kept []string
	each := func(stream io.Reader) {
		lines := bufio.NewScanner(stream)
		lines.Buffer(nil, 1<<20)
		lines.Split(scanProgress)
		for lines.Scan() {
			text := redact(strings.TrimRight(lines.Text(), " \t"), secrets)
			if text == "" {
				continue
			}
			mu.Lock()
			kept = append(kept, text)
			if len(kept) > keptLines {
				kept = kept[1:]
			}
			if level, _, isLog := parseLog(text); !isLog || level == "info" {
				report(sdk.Progress{Action: action, Status: text})
			}
			mu.Unlock()
		}
		_, _ = io.Copy(io.Discard, stream)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		each(p.Stderr())
	}()
	each(p.Stdout())
	<-done
	code, err := p.Wait()
	switch {
	case ctx.Err() != nil:
		return "", contextEnded(ctx, c.op, c.resource)
	case err != nil:
		return "", r.error(sdk.CodeInternal, c.op, c.resource, err)
	case code != 0:
		return strings.Join(kept, "\n"), r.refusedSaying(c.op, c.resource, reason(kept, code))
	}
	return strings.Join(kept, "\n"), nil
}

// reason is the line that says why: the last log line or error, else the last.
func reason(lines []string, code int) string {
	for i := len(lines) - 1; i >= 0; i-- {
		line := strings.ToLower(lines[i])
		if level, message, ok := parseLog(lines[i]); ok && (level == "fatal" || level == "error") {
			if strings.HasPrefix(message, "unrecognized image format") || strings.HasPrefix(message, "exit status") {
				continue
			}
			return plain(message)
		}
		if strings.HasPrefix(line, "error: ") {
			return plain(lines[i][len("error: "):])
		}
	}
	if len(lines) == 0 {
		return said(nil, nil, code)
	}
	return plain(lines[len(lines)-1])
}

// scanProgress splits at line breaks and at returns to the begin of a line.
func scanProgress(data []byte, atEOF bool) (int, []byte, error) {
	for i, c := range data {
		if c == '\n' || c == '\r' {
			return i + 1, data[:i], nil
		}
	}
	if atEOF && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}
