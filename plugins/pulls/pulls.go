package pulls

import (
	"context"
	"errors"
	"sync"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Shared are the pulls of one engine that are under way.
type Shared struct {
	base context.Context
	work func(func()) error

	mu      sync.Mutex
	running map[string]*pull
}

// New returns Shared whose pulls end with base. Each of them is done by work,
// which is to return at once; it may refuse.
func New(base context.Context, work func(pull func()) error) *Shared {
	return &Shared{base: base, work: work, running: map[string]*pull{}}
}

// pull is one transfer that is under way.
type pull struct {
	done   chan struct{}
	err    error
	cancel context.CancelFunc
	// waiting is guarded by the mutex of Shared.
	waiting int

	mu      sync.Mutex
	reports map[*func(sdk.Progress)]struct{}
}

// Get has transfer fetch the image of spec, or waits for who is fetching it
// already; report is never called after it returned. When ctx ends, so does Get,
// with the context's error. The transfer's own error gets the resource of spec.
func (s *Shared) Get(ctx context.Context, spec sdk.Spec, report func(sdk.Progress), transfer func(context.Context, func(sdk.Progress)) error) error {
	running, err := s.join(ctx, spec.Image, transfer)
	if err != nil {
		return err
	}
	running.listen(&report)
	select {
	case <-running.done:
	case <-ctx.Done():
	}
	running.ignore(&report)
	if s.leave(spec.Image, running) {
		<-running.done
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return forResource(running.err, spec.Resource)
}

// Waiting is how many want the image right now.
func (s *Shared) Waiting(image string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if running := s.running[image]; running != nil {
		return running.waiting
	}
	return 0
}

func (s *Shared) join(ctx context.Context, image string, transfer func(context.Context, func(sdk.Progress)) error) (*pull, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if running := s.running[image]; running != nil {
		running.waiting++
		return running, nil
	}
	// It goes on for the others when the first one gives up.
	transferring, cancel := context.WithCancel(context.WithoutCancel(ctx))
	started := &pull{done: make(chan struct{}), cancel: cancel, waiting: 1, reports: map[*func(sdk.Progress)]struct{}{}}
	err := s.work(func() {
		defer cancel()
		stop := context.AfterFunc(s.base, cancel)
		defer stop()
		started.err = transfer(transferring, started.tell)
		close(started.done)
	})
	if err != nil {
		cancel()
		return nil, err
	}
	s.running[image] = started
	return started, nil
}

// leave says whether nobody is left who waits for the pull; it is cancelled then.
func (s *Shared) leave(image string, left *pull) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	left.waiting--
	if left.waiting > 0 {
		return false
	}
	left.cancel()
	if s.running[image] == left {
		delete(s.running, image)
	}
	return true
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
