package wasm

import (
	"context"
	"errors"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
	"github.com/lightshuttle/lightshuttle/sdk/directory"
)

// mostEvents is how many events wait for their reader; the plugin waits then.
const mostEvents = 64

// Watch implements sdk.Watcher.
func (w watcher) Watch(ctx context.Context, project string, since time.Time) (<-chan sdk.Event, error) {
	inner, cancel := context.WithCancel(ctx)
	s := &subscription{
		base: w.base, project: project, heard: make(chan directory.Heard, mostEvents), out: make(chan sdk.Event), subscribed: make(chan struct{}),
	}
	go func() {
		defer close(s.heard)
		_, s.failure = invoke[abi.None](inner, w.base, Invocation{
			Op: abi.Events, Args: abi.EventsArgs{Project: project, Since: since}, Unbounded: true,
			Emission: func(e abi.Emission) { s.take(inner, e) },
		})
	}()
	failed := make(chan error, 1)
	go func() {
		defer close(s.out)
		defer cancel()
		failed <- s.deliver(inner)
	}()
	select {
	case <-s.subscribed:
	case err := <-failed:
		if err != nil {
			return nil, err
		}
	}
	return s.out, nil
}

// subscription is one run of a plugin's ls_events.
type subscription struct {
	*base
	project    string
	heard      chan directory.Heard
	out        chan sdk.Event
	subscribed chan struct{}
	// lost says that the plugin itself told the end of its events, and failure is
	// how the operation ended; both are known when heard is closed.
	lost    bool
	failure error
}

// take hands on what the plugin emits.
func (s *subscription) take(ctx context.Context, e abi.Emission) {
	if e.Type == abi.EmitSubscribed {
		s.subscribe()
		return
	}
	event, ok := s.shownEvent(e)
	if !ok {
		return
	}
	s.lost = s.lost || event.Type == sdk.EventLost
	heard := directory.Heard{Event: event}
	if event.Resource != "" {
		heard.Whose = &directory.Identity{Name: event.Name, Project: s.project, Resource: event.Resource}
	}
	select {
	case s.heard <- heard:
	case <-ctx.Done():
	}
}

func (s *subscription) subscribe() {
	select {
	case <-s.subscribed:
	default:
		close(s.subscribed)
	}
}

// deliver passes the events on to their end. It fails when the plugin never
// subscribed.
func (s *subscription) deliver(ctx context.Context) error {
	closed := s.names.Deliver(ctx, s.project, s.heard, s.out, s.find)
	select {
	case <-s.subscribed:
	default:
		for range s.heard {
			continue
		}
		if s.failure != nil {
			return s.failure
		}
		return s.protocol(abi.Events, "it ended before it had subscribed")
	}
	if closed && !s.lost {
		s.lose(ctx)
	}
	return nil
}

// lose tells that there are no more events, if anybody still wants them.
func (s *subscription) lose(ctx context.Context) {
	if ctx.Err() != nil {
		return
	}
	err := s.failure
	if err == nil {
		err = errors.New("the plugin stopped watching")
	}
	select {
	case s.out <- sdk.Event{Type: sdk.EventLost, Time: time.Now(), Err: err}:
	case <-ctx.Done():
	}
}

// find looks whose a container is that nobody here has started or listed.
func (s *subscription) find(ctx context.Context, id string) (directory.Identity, bool) {
	if !s.report.Can(abi.Inspect) {
		return directory.Identity{}, false
	}
	state, err := s.inspect(ctx, id)
	if err != nil {
		return directory.Identity{}, false
	}
	whose := directory.Labelled(state.Name, state.Labels)
	fill(&whose.Project, state.Project)
	fill(&whose.Resource, state.Resource)
	s.names.Put(id, whose)
	return whose, true
}
