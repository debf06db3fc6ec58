package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

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
		return imageMissing(spec)
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

// pull is one transfer that is under way. It ends when the last one who waits
// for it gives up.
type pull struct {
	done   chan struct{}
	err    error
	cancel context.CancelFunc
	// waiting is guarded by the mutex of pulls.
	waiting int

	mu      sync.Mutex
	reports map[*func(sdk.Progress)]struct{}
}

func (p *pull) tell(progress sdk.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for report := range p.reports {
		(*report)(progress)
	}
}

func (p *pull) listen(report *func(sdk.Progress)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reports[report] = struct{}{}
}

// ignore returns when nothing is reported any more.
func (p *pull) ignore(report *func(sdk.Progress)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.reports, report)
}

// pull fetches the image, or waits for who is fetching it already.
func (r *Runtime) pull(ctx context.Context, spec sdk.Spec, report func(sdk.Progress)) error {
	running, err := r.joinPull(ctx, spec)
	if err != nil {
		return err
	}
	running.listen(&report)
	select {
	case <-running.done:
	case <-ctx.Done():
	}
	running.ignore(&report)
	if r.leavePull(spec.Image, running) {
		<-running.done
	}
	if ctx.Err() != nil {
		return contextEnded(ctx, "pull", spec.Resource)
	}
	return forResource(running.err, spec.Resource)
}

func (r *Runtime) joinPull(ctx context.Context, spec sdk.Spec) (*pull, error) {
	r.pulls.mu.Lock()
	defer r.pulls.mu.Unlock()
	if running := r.pulls.running[spec.Image]; running != nil {
		running.waiting++
		return running, nil
	}
	transfer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	started := &pull{done: make(chan struct{}), cancel: cancel, waiting: 1, reports: map[*func(sdk.Progress)]struct{}{}}
	err := r.events.work(func() {
		defer cancel()
		stop := context.AfterFunc(r.events.base, cancel)
		defer stop()
		started.err = r.transfer(transfer, spec.Image, started.tell)
		close(started.done)
	})
	if err != nil {
		cancel()
		return nil, err
	}
	r.pulls.running[spec.Image] = started
	return started, nil
}

// leavePull says whether nobody is left who waits for the pull; it is cancelled
// then.
func (r *Runtime) leavePull(ref string, left *pull) bool {
	r.pulls.mu.Lock()
	defer r.pulls.mu.Unlock()
	left.waiting--
	if left.waiting > 0 {
		return false
	}
	left.cancel()
	if r.pulls.running[ref] == left {
		delete(r.pulls.running, ref)
	}
	return true
}

// forResource is the error of a pull that several may share, for one of them.
func forResource(err error, resource string) error {
	e, ok := errors.AsType[*sdk.Error](err)
	if !ok {
		return err
	}
	with := *e
	with.Resource = resource
	return &with
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
