package lifecycle

import (
	"context"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Subscription hears of what happens to a project's containers from before they
// were looked at. What was seen of them then needs no second look. It must be
// closed, also where a Manager was given it.
type Subscription struct {
	watcher sdk.Watcher
	cancel  context.CancelFunc
	// stands is closed when events and err are set.
	stands chan struct{}
	events <-chan sdk.Event
	err    error
	// before says that it stood before anybody looked.
	before bool
}

// Subscribe begins to subscribe and returns at once; nil for a runtime without
// events.
func Subscribe(ctx context.Context, runtime sdk.Runtime, project string) *Subscription {
	watcher, ok := runtime.(sdk.Watcher)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	s := &Subscription{watcher: watcher, cancel: cancel, stands: make(chan struct{})}
	go func() {
		defer close(s.stands)
		s.events, s.err = watcher.Watch(ctx, project, time.Time{})
	}()
	return s
}

// Stand waits until the subscription stands, or returns why it doesn't. It is
// called before the containers are looked at, and not by several at a time.
func (s *Subscription) Stand(ctx context.Context) error {
	if s == nil {
		return nil
	}
	events, err := s.wait(ctx)
	s.before = events != nil
	return err
}

func (s *Subscription) wait(ctx context.Context) (<-chan sdk.Event, error) {
	select {
	case <-s.stands:
		return s.events, s.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Close ends the subscription.
func (s *Subscription) Close() {
	if s == nil {
		return
	}
	s.cancel()
	<-s.stands
	if s.events == nil {
		return
	}
	for range s.events {
		// It is emptied until it is closed.
	}
}

// seesAll says whether nothing has escaped the manager that happened since the
// containers of its plan were looked at.
func (m *Manager) seesAll() bool {
	return m.options.Subscription != nil && m.options.Subscription.before
}
