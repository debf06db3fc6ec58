package nerdctl

import (
	"context"
	"strings"
	"sync"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// identity is whose a container is. Foreign containers have no project.
type identity struct{ name, project, resource string }

func identityOf(name string, labels map[string]string) identity {
	return identity{name: strings.TrimPrefix(name, "/"), project: labels[sdk.LabelProject], resource: labels[sdk.LabelResource]}
}

// directory remembers whose containers are, because containerd's events tell
// their ids alone.
type directory struct {
	mu      sync.Mutex
	known   map[string]identity
	removed []string
	// starts are those under way, whose ids aren't known yet.
	starts map[chan struct{}]struct{}
	// changed is closed and made anew with each id that becomes known.
	changed chan struct{}
}

func newDirectory() *directory {
	return &directory{known: map[string]identity{}, starts: map[chan struct{}]struct{}{}, changed: make(chan struct{})}
}

func (d *directory) put(id string, whose identity) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.known[id]; ok {
		return
	}
	d.known[id] = whose
	close(d.changed)
	d.changed = make(chan struct{})
}

func (d *directory) get(id string) (identity, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	whose, ok := d.known[id]
	return whose, ok
}

// removedKept is how many containers that are gone are remembered, for who
// reads events more slowly than others.
const removedKept = 1000

func (d *directory) gone(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.removed = append(d.removed, id)
	if len(d.removed) > removedKept {
		delete(d.known, d.removed[0])
		d.removed = d.removed[1:]
	}
}

// starting notes that a start is under way, until the returned function is
// called.
func (d *directory) starting() func() {
	done := make(chan struct{})
	d.mu.Lock()
	defer d.mu.Unlock()
	d.starts[done] = struct{}{}
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.starts, done)
		close(done)
	}
}

// await returns when id is known, or no start is under way any more that could
// tell: nearly always the id is that of a container which is just being started,
// and asking the engine costs a process.
func (d *directory) await(ctx context.Context, id string) (identity, bool) {
	d.mu.Lock()
	var underWay []chan struct{}
	for done := range d.starts {
		underWay = append(underWay, done)
	}
	d.mu.Unlock()
	for _, done := range underWay {
		if whose, ok := d.awaitOne(ctx, id, done); ok || ctx.Err() != nil {
			return whose, ok
		}
	}
	return d.get(id)
}

func (d *directory) awaitOne(ctx context.Context, id string, done <-chan struct{}) (identity, bool) {
	for {
		d.mu.Lock()
		whose, ok := d.known[id]
		changed := d.changed
		d.mu.Unlock()
		if ok {
			return whose, true
		}
		select {
		case <-changed:
		case <-done:
			return d.get(id)
		case <-ctx.Done():
			return identity{}, false
		}
	}
}
