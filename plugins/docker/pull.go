package docker

import (
	"context"
	"errors"
	"fmt"
	"io"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/docker/docker/api/types/image"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Prepared implements sdk.Preparer. A build always has something to do: whether
// the sources have changed is for the builder's cache to find out.
func (r *Runtime) Prepared(ctx context.Context, spec sdk.Spec) (bool, error) {
	if spec.Build != nil || spec.Pull == sdk.PullAlways {
		return false, nil
	}
	there, err := r.imageIsThere(ctx, spec.Image)
	return there, r.typed(ctx, "prepare", spec.Resource, err)
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

func (r *Runtime) imageIsThere(ctx context.Context, ref string) (bool, error) {
	seen, err := r.api.ImageInspect(ctx, ref)
	if cerrdefs.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	r.declared.put(ref, seen)
	return true, nil
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

func (r *Runtime) transfer(ctx context.Context, ref string, report func(sdk.Progress)) error {
	auth, authErr := r.registryAuth(ref)
	if authErr != nil && !errors.Is(authErr, reference.ErrReferenceInvalidFormat) {
		// A public image needs none; docker itself goes on, too.
		r.logger.Warn("no credentials", "image", ref, "error", authErr)
	}
	report(sdk.Progress{Action: "pull", Status: "asking the registry for " + ref})
	stream, err := r.api.ImagePull(ctx, ref, image.PullOptions{RegistryAuth: auth})
	if err == nil {
		defer stream.Close()
		err = followPull(ctx, stream, report)
	}
	if err == nil {
		return nil
	}
	return withImage(r.typed(ctx, "pull", "", err), ref, authErr)
}

// withImage makes sure that the error of a pull names the image, and says why
// there were no credentials.
func withImage(err error, ref string, authErr error) error {
	e, ok := errors.AsType[*sdk.Error](err)
	if !ok {
		return err
	}
	with := *e
	with.Err = fmt.Errorf("image %s: %w", ref, e.Err)
	if authErr != nil && (e.Code == sdk.CodeUnauthorized || e.Code == sdk.CodeImageNotFound) {
		with.Hint = fmt.Sprintf("%s (there were no credentials: %v)", e.Hint, authErr)
	}
	return &with
}

// layer is how far a layer has come.
type layer struct{ current, total int64 }

// followPull adds up the layers' bytes until the stream ends.
func followPull(ctx context.Context, stream io.Reader, report func(sdk.Progress)) error {
	layers := map[string]*layer{}
	var last sdk.Progress
	return eachMessage(ctx, stream, func(m message) {
		progress := sdk.Progress{Action: "pull", Status: m.Status}
		if m.ID != "" {
			follow(layers, m)
		}
		for _, l := range layers {
			progress.Current += l.current
			progress.Total += l.total
		}
		if progress != last {
			last = progress
			report(progress)
		}
	})
}

// follow notes what a message says of a layer. Only the bytes that are fetched
// count; unpacking them has numbers of its own.
func follow(layers map[string]*layer, m message) {
	l := layers[m.ID]
	switch m.Status {
	case "Downloading":
		if l == nil {
			l = &layer{}
			layers[m.ID] = l
		}
		l.current, l.total = m.Progress.Current, max(m.Progress.Total, m.Progress.Current)
	case "Verifying Checksum", "Download complete", "Extracting", "Pull complete":
		if l != nil {
			l.current = l.total
		}
	}
}
