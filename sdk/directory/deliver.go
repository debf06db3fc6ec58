package directory

import (
	"context"
	"sync"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Heard is an event, or what it tells of a container: one without a type only
// tells that.
type Heard struct {
	Event sdk.Event
	// Whose is whose the container is, if the engine said so.
	Whose *Identity
}

// Deliver passes on the events of a project's containers, with name and resource,
// until heard is closed, which it reports, or ctx ends; what still waits then is
// left out. Those of one container stay in order. An event without an id is about
// the engine, and passes as it is. find finds out whose a container is that isn't
// known; it may be called for several at the same time.
func (d *Directory) Deliver(
	ctx context.Context, project string, heard <-chan Heard, out chan<- sdk.Event,
	find func(ctx context.Context, id string) (Identity, bool),
) (closed bool) {
	all := &delivery{
		known: d, project: project, out: out, find: find,
		waiting: map[string][]sdk.Event{}, answers: make(chan answer),
	}
	ctx, cancel := context.WithCancel(ctx)
	defer all.asking.Wait()
	defer cancel()
	for {
		wanted := false
		select {
		case <-ctx.Done():
			return false
		case found := <-all.answers:
			wanted = all.answered(ctx, found)
		case next, ok := <-heard:
			if !ok {
				return true
			}
			wanted = all.heard(ctx, next)
		}
		if !wanted {
			return false
		}
	}
}

// answer is what has become known of a container.
type answer struct {
	id    string
	whose Identity
	ok    bool
}

// delivery is what waits until it is known whose it is, by container.
type delivery struct {
	known   *Directory
	project string
	out     chan<- sdk.Event
	find    func(ctx context.Context, id string) (Identity, bool)

	waiting map[string][]sdk.Event
	answers chan answer
	asking  sync.WaitGroup
}

// answered passes on what has waited for the answer. It says whether anybody
// still wants events.
func (d *delivery) answered(ctx context.Context, found answer) bool {
	queue := d.waiting[found.id]
	delete(d.waiting, found.id)
	if !found.ok {
		return true
	}
	for _, event := range queue {
		if !d.pass(ctx, event, found.whose) {
			return false
		}
	}
	return true
}

// heard passes an event on, or asks whose it is. It says whether anybody still
// wants events.
func (d *delivery) heard(ctx context.Context, next Heard) bool {
	id := next.Event.ID
	if next.Whose != nil {
		d.known.Put(id, *next.Whose)
	}
	if next.Event.Type == "" {
		return true
	}
	if id == "" {
		return d.send(ctx, next.Event)
	}
	_, asked := d.waiting[id]
	whose, known := d.known.Get(id)
	if known && !asked {
		return d.pass(ctx, next.Event, whose)
	}
	d.waiting[id] = append(d.waiting[id], next.Event)
	if asked {
		return true
	}
	d.asking.Go(func() {
		found := d.ask(ctx, id)
		select {
		case d.answers <- found:
		case <-ctx.Done():
		}
	})
	return true
}

// ask finds out whose a container is.
func (d *delivery) ask(ctx context.Context, id string) answer {
	whose, ok := d.known.Await(ctx, id)
	if !ok {
		whose, ok = d.find(ctx, id)
	}
	return answer{id, whose, ok}
}

func (d *delivery) pass(ctx context.Context, event sdk.Event, whose Identity) bool {
	if event.Type == sdk.EventRemoved {
		d.known.gone(event.ID)
	}
	if whose.Project == "" || whose.Project != d.project {
		return true
	}
	event.Name, event.Resource = whose.Name, whose.Resource
	return d.send(ctx, event)
}

func (d *delivery) send(ctx context.Context, event sdk.Event) bool {
	select {
	case d.out <- event:
		return true
	case <-ctx.Done():
		return false
	}
}
