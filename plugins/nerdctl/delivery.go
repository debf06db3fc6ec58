package nerdctl

import (
	"context"
	"sync"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// resolved is what has become known of a container.
type resolved struct {
	id    string
	whose identity
	ok    bool
}

// deliver passes the project's events on. Those of a container that isn't known
// yet wait, without holding up the others, until it is.
func (w *watch) deliver(ctx context.Context) {
	d := &delivery{watch: w, waiting: map[string][]sdk.Event{}, answers: make(chan resolved)}
	defer d.asking.Wait()
	for {
		wanted := false
		select {
		case <-ctx.Done():
			return
		case answer := <-d.answers:
			wanted = d.answered(ctx, answer)
		case next, ok := <-w.heard:
			if !ok {
				w.lost(ctx)
				return
			}
			wanted = d.heard(ctx, next)
		}
		if !wanted {
			return
		}
	}
}

// delivery is what waits until it is known whose it is, by container.
type delivery struct {
	watch   *watch
	waiting map[string][]sdk.Event
	answers chan resolved
	asking  sync.WaitGroup
}

// answered passes on what has waited for the answer. It says whether anybody
// still wants events.
func (d *delivery) answered(ctx context.Context, answer resolved) bool {
	queue := d.waiting[answer.id]
	delete(d.waiting, answer.id)
	if !answer.ok {
		return true
	}
	for _, event := range queue {
		if !d.watch.pass(ctx, event, answer.whose) {
			return false
		}
	}
	return true
}

// heard passes an event on, or asks whose it is. It says whether anybody still
// wants events.
func (d *delivery) heard(ctx context.Context, next heard) bool {
	id, names := next.event.ID, d.watch.runtime.names
	if next.whose != nil {
		names.put(id, *next.whose)
	}
	if next.event.Type == "" {
		return true
	}
	_, asked := d.waiting[id]
	whose, known := names.get(id)
	if known && !asked {
		return d.watch.pass(ctx, next.event, whose)
	}
	d.waiting[id] = append(d.waiting[id], next.event)
	if asked {
		return true
	}
	d.asking.Go(func() {
		answer := d.watch.ask(ctx, id)
		select {
		case d.answers <- answer:
		case <-ctx.Done():
		}
	})
	return true
}

// ask finds out whose a container is.
func (w *watch) ask(ctx context.Context, id string) resolved {
	if whose, ok := w.runtime.names.await(ctx, id); ok {
		return resolved{id, whose, true}
	}
	if _, err := w.runtime.inspectOne(ctx, id); err != nil {
		return resolved{id: id}
	}
	whose, ok := w.runtime.names.get(id)
	return resolved{id, whose, ok}
}

func (w *watch) pass(ctx context.Context, event sdk.Event, whose identity) bool {
	if event.Type == sdk.EventRemoved {
		w.runtime.names.gone(event.ID)
	}
	if whose.project == "" || whose.project != w.project {
		return true
	}
	event.Name, event.Resource = whose.name, whose.resource
	select {
	case w.out <- event:
		return true
	case <-ctx.Done():
		return false
	}
}
