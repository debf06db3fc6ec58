package nerdctl

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/lightshuttle/lightshuttle/plugins/resume"
	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/directory"
)

// overlap is how far back a stream begins that can: the client takes a moment
// to ask for it.
const overlap = 50 * time.Millisecond

// Watch implements sdk.Watcher. containerd's events can't be had again, so since
// means nothing to nerdctl.
func (r *Runtime) Watch(ctx context.Context, project string, since time.Time) (<-chan sdk.Event, error) {
	ctx, cancel := context.WithCancel(ctx)
	forget := context.AfterFunc(r.base, cancel)
	give := func() {
		forget()
		cancel()
	}
	if r.base.Err() != nil {
		give()
		return nil, sdk.Errorf(sdk.CodeUnavailable, "watch", "the runtime is closed")
	}
	if recent := time.Now().Add(-overlap); since.IsZero() || since.After(recent) {
		since = recent
	}
	w := &watch{
		runtime: r, project: project, heardOf: resume.Since(since), heard: make(chan directory.Heard, 4096), out: make(chan sdk.Event),
		standing: make(chan struct{}), marker: "lightshuttle-listens-" + strings.ToLower(rand.Text()),
	}
	p, err := w.open(ctx)
	if err != nil {
		give()
		return nil, err
	}
	w.process = p
	r.workers.Go(func() {
		defer close(w.heard)
		w.read(ctx)
	})
	if err := w.stand(ctx); err != nil {
		give()
		w.discard()
		return nil, err
	}
	r.workers.Go(func() {
		defer give()
		defer close(w.out)
		if r.names.Deliver(ctx, project, w.heard, w.out, w.find) {
			w.lost(ctx)
		}
		cancel()
		w.discard()
	})
	return w.out, nil
}

// open starts the process that prints what happens, from where the subscription
// is on, if the engine remembers.
func (w *watch) open(ctx context.Context) (sdk.Process, error) {
	args := w.runtime.dialect.events
	if !w.runtime.dialect.marks {
		args = append(args[:len(args):len(args)], "--since", w.heardOf.From().UTC().Format(time.RFC3339Nano))
	}
	return w.runtime.spawn(ctx, call{op: "watch", args: args})
}

// watch is one subscription: a process that prints events.
type watch struct {
	runtime *Runtime
	project string
	heard   chan directory.Heard
	out     chan sdk.Event

	// marker is the name of a containerd namespace, made and removed to see
	// whether the process listens; standing is closed when it does.
	marker   string
	standing chan struct{}
	stood    sync.Once
	// namespace is where the events of interest are; known with standing.
	namespace string
	// failure is why there are no more events; known when heard is closed.
	failure error
	// heardOf is how far the reader has come.
	heardOf *resume.Stream

	// mu guards the process, and whether it isn't wanted any more.
	mu      sync.Mutex
	process sdk.Process
	over    bool
}

// read hands on what the process prints until it ends for good.
func (w *watch) read(ctx context.Context) {
	p := w.process
	for {
		began := time.Now()
		w.failure = w.listen(p)
		_ = p.Close()
		if p = w.goOn(ctx, time.Since(began)); p == nil {
			return
		}
	}
}

// goOn starts the process again where that makes sense; else it returns nil.
func (w *watch) goOn(ctx context.Context, lasted time.Duration) sdk.Process {
	if !w.runtime.dialect.resumes {
		return nil
	}
	pause, again := w.heardOf.Ended(lasted)
	if !again || w.runtime.host.Sleep(ctx, pause) != nil {
		return nil
	}
	p, err := w.open(ctx)
	if err != nil {
		w.failure = err
		return nil
	}
	if !w.replace(p) {
		_ = p.Close()
		return nil
	}
	return p
}

// listen takes the process's output apart until it ends, and returns why.
func (w *watch) listen(p sdk.Process) error {
	stderr := make(chan []byte, 1)
	go func() {
		kept, _ := io.ReadAll(io.LimitReader(p.Stderr(), messageLimit))
		_, _ = io.Copy(io.Discard, p.Stderr())
		stderr <- kept
	}()
	// The format has an empty line after each event, and podman's has none.
	decoder := json.NewDecoder(p.Stdout())
	var problem error
	for problem == nil {
		var l line
		if problem = decoder.Decode(&l); problem == nil {
			w.take(l)
		}
	}
	if !errors.Is(problem, io.EOF) {
		_ = p.Kill(true)
		rest, _ := io.ReadAll(io.LimitReader(decoder.Buffered(), messageLimit))
		problem = w.runtime.rubbish("events", rest, problem)
	}
	_, _ = io.Copy(io.Discard, p.Stdout())
	text := <-stderr
	code, err := p.Wait()
	switch {
	case !errors.Is(problem, io.EOF):
		return problem
	case err != nil:
		return err
	}
	return w.runtime.refusedSaying("events", "", said(text, nil, code))
}

// take hands an event on, if it is of interest and new.
func (w *watch) take(l line) {
	if l.marks(w.marker) {
		w.stood.Do(func() {
			w.namespace = l.Namespace
			close(w.standing)
		})
		return
	}
	if w.runtime.dialect.resumes && w.heardOf.Heard(l.Status+" "+l.ID, l.when()) {
		return
	}
	if event, ok := l.translate(w.namespace); ok {
		w.heard <- event
	}
}

// find looks whose a container is.
func (w *watch) find(ctx context.Context, id string) (directory.Identity, bool) {
	if w.runtime.tellsAll {
		return directory.Identity{Project: w.project}, true
	}
	_, _ = w.runtime.inspectOne(ctx, id) // if it fails, nothing is known
	return w.runtime.names.Get(id)
}

// replace makes p the process, unless none is wanted any more.
func (w *watch) replace(p sdk.Process) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.over {
		w.process = p
	}
	return !w.over
}

// discard ends the process and lets the reader come to its end.
func (w *watch) discard() {
	w.mu.Lock()
	w.over = true
	_ = w.process.Kill(true)
	w.mu.Unlock()
	for range w.heard {
		continue
	}
}

// lost tells that the process has ended, if nobody ended it.
func (w *watch) lost(ctx context.Context) {
	if ctx.Err() != nil {
		return
	}
	e := w.runtime.error(sdk.CodeUnavailable, "events", "", fmt.Errorf("the events of %s ended: %w", w.runtime.dialect.name, w.failure))
	e.Hint = w.runtime.dialect.start
	select {
	case w.out <- sdk.Event{Type: sdk.EventLost, Time: time.Now(), Err: e}:
	case <-ctx.Done():
	}
}
