package directory

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Identity is whose a container is. Foreign containers have no project.
type Identity struct{ Name, Project, Resource string }

// Labelled is the identity that a container's labels tell.
func Labelled(name string, labels map[string]string) Identity {
	return Identity{Name: strings.TrimPrefix(name, "/"), Project: labels[sdk.LabelProject], Resource: labels[sdk.LabelResource]}
}

// Directory is what is known of an engine's containers, by their ids.
type Directory struct {
	mu      sync.Mutex
	known   map[string]Identity
	removed []string
	// starts are those under way, whose ids aren't known yet.
	starts map[chan struct{}]struct{}
	// changed is closed and made anew with each id that becomes known.
	changed chan struct{}
}

// New returns a Directory that knows of none.
func New() *Directory {
	return &Directory{known: map[string]Identity{}, starts: map[chan struct{}]struct{}{}, changed: make(chan struct{})}
}

// Put notes whose a container is. Where an engine gives ids again, the latest
// counts.
func (d *Directory) Put(id string, whose Identity) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if known, ok := d.known[id]; ok && known == whose {
		return
	}
	d.removed = slices.DeleteFunc(d.removed, func(gone string) bool { return gone == id })
	d.known[id] = whose
	close(d.changed)
	d.changed = make(chan struct{})
}

// Get says whose a container is, if that is known.
func (d *Directory) Get(id string) (Identity, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	whose, ok := d.known[id]
	return whose, ok
}

// removedKept is how many containers that are gone are remembered, for who
// reads events more slowly than others.
const removedKept = 1000

func (d *Directory) gone(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.removed = append(d.removed, id)
	if len(d.removed) > removedKept {
		delete(d.known, d.removed[0])
		d.removed = d.removed[1:]
	}
}

// Starting notes that a start is under way, until the returned function is
// called. A start that succeeds puts the id before.
func (d *Directory) Starting() func() {
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

// Await returns when id is known, or when no start is under way any more that
// could tell: nearly always the id is that of a container which is just being
// started, and asking the engine is dear.
func (d *Directory) Await(ctx context.Context, id string) (Identity, bool) {
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
	return d.Get(id)
}

func (d *Directory) awaitOne(ctx context.Context, id string, done <-chan struct{}) (Identity, bool) {
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
			return d.Get(id)
		case <-ctx.Done():
			return Identity{}, false
		}
	}
}
