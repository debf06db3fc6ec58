package fake

import (
	"context"
	"slices"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// remembered is how many events an engine keeps for those who come later.
const remembered = 1000

type pastEvent struct {
	sdk.Event
	project string
}

// Watch implements sdk.Watcher.
func (e *Engine) Watch(ctx context.Context, project string, since time.Time) (<-chan sdk.Event, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	w := newWatcher(project)
	e.mu.Lock()
	e.watchers[w] = struct{}{}
	for _, old := range e.past {
		if !since.IsZero() && old.project == project && !old.Time.Before(since) {
			w.put(old.Event)
		}
	}
	e.mu.Unlock()
	return w.hear(ctx, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.watchers, w)
	}), nil
}

// tell sends an event to the project's watchers. The caller has the lock.
func (e *Engine) tell(kind sdk.EventType, b *box) {
	event := sdk.Event{Type: kind, ID: b.state.ID, Name: b.state.Name, Resource: b.state.Resource, Time: time.Now()}
	if kind == sdk.EventExited {
		event.ExitCode = *b.state.ExitCode
	}
	e.past = append(e.past, pastEvent{event, b.spec.Project})
	if len(e.past) > 2*remembered {
		e.past = slices.Clone(e.past[remembered:])
	}
	for w := range e.watchers {
		if w.project == b.spec.Project {
			w.put(event)
		}
	}
}

// LoseEvents ends all subscriptions, as an engine that goes away does.
func (e *Engine) LoseEvents() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for w := range e.watchers {
		w.put(sdk.Event{Type: sdk.EventLost, Time: time.Now()})
		delete(e.watchers, w)
	}
}
