package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/registry"
	"github.com/docker/docker/pkg/jsonmessage"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Prepared implements sdk.Preparer. A build always has something to do: whether
// the sources have changed is for the builder's cache to find out.
func (r *Runtime) Prepared(ctx context.Context, spec sdk.Spec) (bool, error) {
	if spec.Build != nil || spec.Pull == sdk.PullAlways {
		return false, nil
	}
	there, err := r.imageIsThere(ctx, spec.Image)
	return there || spec.Pull == sdk.PullNever, r.typed(ctx, "prepare", spec.Resource, err)
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
	return r.pull(ctx, spec, report)
}

func (r *Runtime) imageIsThere(ctx context.Context, ref string) (bool, error) {
	_, err := r.api.ImageInspect(ctx, ref)
	if cerrdefs.IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
}

// pulls makes those who want one image at the same time share one pull.
type pulls struct {
	mu      sync.Mutex
	running map[string]*pull
}

// pull is one transfer that is under way.
type pull struct {
	done chan struct{}
	err  error

	mu      sync.Mutex
	reports []func(sdk.Progress)
}

func (p *pull) tell(progress sdk.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, report := range p.reports {
		report(progress)
	}
}

// join adds a reporter, and returns what removes it again.
func (p *pull) join(report func(sdk.Progress)) (leave func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := len(p.reports)
	p.reports = append(p.reports, report)
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.reports[at] = func(sdk.Progress) {}
	}
}

// pull fetches the image, or waits for who is fetching it already. If that one
// gives up, the next one tries.
func (r *Runtime) pull(ctx context.Context, spec sdk.Spec, report func(sdk.Progress)) error {
	for {
		r.pulls.mu.Lock()
		running := r.pulls.running[spec.Image]
		leading := running == nil
		if leading {
			running = &pull{done: make(chan struct{})}
			r.pulls.running[spec.Image] = running
		}
		r.pulls.mu.Unlock()
		leave := running.join(report)
		if leading {
			running.err = r.transfer(ctx, spec, running.tell)
			r.pulls.mu.Lock()
			delete(r.pulls.running, spec.Image)
			r.pulls.mu.Unlock()
			close(running.done)
			leave()
			return running.err
		}
		select {
		case <-ctx.Done():
			leave()
			return r.typed(ctx, "pull", spec.Resource, ctx.Err())
		case <-running.done:
			leave()
		}
		if !sdk.IsCode(running.err, sdk.CodeCancelled) {
			return forResource(running.err, spec.Resource)
		}
	}
}

// forResource is an error of a shared pull, for another resource.
func forResource(err error, resource string) error {
	e, ok := errors.AsType[*sdk.Error](err)
	if !ok {
		return err
	}
	with := *e
	with.Resource = resource
	return &with
}

func (r *Runtime) transfer(ctx context.Context, spec sdk.Spec, report func(sdk.Progress)) error {
	op := "pull " + spec.Image
	auth, err := r.registryAuth(spec.Image)
	if err != nil {
		return &sdk.Error{Code: sdk.CodeUnauthorized, Op: op, Resource: spec.Resource, Err: err, Hint: "see the credential helper in docker's config.json"}
	}
	report(sdk.Progress{Action: "pull", Status: "asking the registry"})
	stream, err := r.api.ImagePull(ctx, spec.Image, image.PullOptions{RegistryAuth: auth})
	if err != nil {
		return r.typed(ctx, op, spec.Resource, err)
	}
	defer stream.Close()
	if err := followPull(stream, report); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return r.typed(ctx, op, spec.Resource, err)
	}
	return nil
}

// followPull adds up the layers' bytes until the stream ends. An error inside
// the stream is the pull's error.
func followPull(stream io.Reader, report func(sdk.Progress)) error {
	type layer struct{ current, total int64 }
	layers := map[string]layer{}
	decoder := json.NewDecoder(stream)
	for {
		var message jsonmessage.JSONMessage
		err := decoder.Decode(&message)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("the engine's answer broke off: %w", err)
		}
		if message.Error != nil {
			return message.Error
		}
		if message.ID == "" || message.Progress == nil {
			continue
		}
		if message.Status == "Downloading" && message.Progress.Total > 0 {
			layers[message.ID] = layer{message.Progress.Current, message.Progress.Total}
		}
		progress := sdk.Progress{Action: "pull", Status: message.Status}
		for _, l := range layers {
			progress.Current += l.current
			progress.Total += l.total
		}
		report(progress)
	}
}

// registryAuth finds the credentials for the image's registry where docker
// keeps them, credential helpers included.
func (r *Runtime) registryAuth(ref string) (string, error) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return "", err
	}
	host := reference.Domain(named)
	if host == "docker.io" {
		host = "https://index.docker.io/v1/"
	}
	auth, err := r.config.GetAuthConfig(host)
	if err != nil {
		return "", fmt.Errorf("credentials for %s: %w", host, err)
	}
	return registry.EncodeAuthConfig(registry.AuthConfig{
		Username: auth.Username, Password: auth.Password, Auth: auth.Auth, ServerAddress: auth.ServerAddress,
		IdentityToken: auth.IdentityToken, RegistryToken: auth.RegistryToken,
	})
}
