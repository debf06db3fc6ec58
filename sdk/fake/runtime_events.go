package fake

import (
	"context"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Watch implements sdk.Watcher; what happened before is forgotten.
func (r *Runtime) Watch(ctx context.Context, project string, _ time.Time) (<-chan sdk.Event, error) {
	if err := r.watchPhase.play(ctx); err != nil {
		return nil, err
	}
	w := newWatcher(project)
	r.mu.Lock()
	r.watchers[w] = struct{}{}
	r.mu.Unlock()
	return w.hear(ctx, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.watchers, w)
	}), nil
}

// tell sends an event to the project's watchers. The caller has the lock, so
// that events are in the order of what happened.
func (r *Runtime) tell(kind sdk.EventType, c *container) {
	event := sdk.Event{Type: kind, ID: c.state.ID, Name: c.state.Name, Resource: c.state.Resource, Time: time.Now()}
	if kind == sdk.EventExited {
		event.ExitCode = *c.state.ExitCode
	}
	for w := range r.watchers {
		if w.project == c.state.Project {
			w.put(event)
		}
	}
}
