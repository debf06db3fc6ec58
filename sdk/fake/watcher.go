package fake

import (
	"context"
	"sync"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// watcher is a subscription to the events of a project. It holds what nobody has
// taken yet.
type watcher struct {
	project string
	mu      sync.Mutex
	queue   []sdk.Event
	filled  chan struct{}
}

func newWatcher(project string) *watcher {
	return &watcher{project: project, filled: make(chan struct{}, 1)}
}

// hear delivers what w is told until ctx ends, and calls forget then.
func (w *watcher) hear(ctx context.Context, forget func()) <-chan sdk.Event {
	events := make(chan sdk.Event)
	go func() {
		defer close(events)
		w.deliver(ctx, events)
		forget()
	}()
	return events
}

func (w *watcher) put(event sdk.Event) {
	w.mu.Lock()
	w.queue = append(w.queue, event)
	w.mu.Unlock()
	select {
	case w.filled <- struct{}{}:
	default:
	}
}

func (w *watcher) deliver(ctx context.Context, events chan<- sdk.Event) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.filled:
		}
		w.mu.Lock()
		queue := w.queue
		w.queue = nil
		w.mu.Unlock()
		for _, event := range queue {
			select {
			case events <- event:
			case <-ctx.Done():
				return
			}
			if event.Type == sdk.EventLost {
				return
			}
		}
	}
}
