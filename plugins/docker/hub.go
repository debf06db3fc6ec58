package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"

	"github.com/lightshuttle/lightshuttle/plugins/resume"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// hub shares one event stream of the engine among all who wait for events. The
// stream is open while somebody subscribes; after it was lost, the next one who
// subscribes opens another.
type hub struct {
	runtime *Runtime
	base    context.Context
	end     context.CancelFunc
	workers sync.WaitGroup

	mu     sync.Mutex
	closed bool
	stream *stream
}

// stream is one event stream and who reads it.
type stream struct {
	cancel context.CancelFunc
	// opened is closed when the stream stands, or err says why it doesn't.
	opened        chan struct{}
	err           error
	subscriptions map[*subscription]struct{}
}

// subscription is one reader. Its queue has no bound, so that a slow reader
// never holds up the others.
type subscription struct {
	mu     sync.Mutex
	queue  []containerEvent
	filled chan struct{}
}

// containerEvent is an event with the project that its container belongs to.
type containerEvent struct {
	sdk.Event
	project string
}

var errClosed = errors.New("the runtime is closed")

func newHub(r *Runtime) *hub {
	h := &hub{runtime: r}
	h.base, h.end = context.WithCancel(context.Background())
	return h
}

func (h *hub) close() {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	h.end()
	h.workers.Wait()
}

// work runs f in a goroutine that close waits for.
func (h *hub) work(f func()) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return errClosed
	}
	h.workers.Go(f)
	return nil
}

// subscribe returns a subscription that stands, and what ends it. One that asks
// for what happened since a moment gets a stream of its own: the others have
// heard of that already.
func (h *hub) subscribe(ctx context.Context, since time.Time) (*subscription, func(), error) {
	s := &subscription{filled: make(chan struct{}, 1)}
	on, err := h.join(s, since)
	if err != nil {
		return nil, nil, err
	}
	leave := func() { h.leave(on, s) }
	select {
	case <-on.opened:
	case <-ctx.Done():
		leave()
		return nil, nil, contextEnded(ctx, "events", "")
	}
	if on.err != nil {
		return nil, nil, on.err
	}
	return s, leave, nil
}

func (h *hub) join(s *subscription, since time.Time) (*stream, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, errClosed
	}
	on := h.stream
	if on == nil || !since.IsZero() {
		on = h.begin(since)
	}
	if since.IsZero() {
		h.stream = on
	}
	on.subscriptions[s] = struct{}{}
	return on, nil
}

// begin opens another stream.
func (h *hub) begin(since time.Time) *stream {
	ctx, cancel := context.WithCancel(h.base)
	opening := &stream{cancel: cancel, opened: make(chan struct{}), subscriptions: map[*subscription]struct{}{}}
	h.workers.Go(func() {
		defer cancel()
		h.run(ctx, opening, since)
	})
	return opening
}

// leave ends the stream with its last reader.
func (h *hub) leave(on *stream, s *subscription) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(on.subscriptions, s)
	if len(on.subscriptions) > 0 {
		return
	}
	on.cancel()
	if h.stream == on {
		h.stream = nil
	}
}

func (h *hub) run(ctx context.Context, on *stream, since time.Time) {
	if recent := time.Now().Add(-overlap); since.IsZero() || since.After(recent) {
		since = recent
	}
	from, err := h.open(ctx, since)
	if err != nil {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.forget(on)
		on.err = h.runtime.typed(ctx, "events", "", err)
		close(on.opened)
		return
	}
	close(on.opened)
	if from.podman {
		err = h.followPodman(ctx, from, on, resume.Since(since))
	} else {
		err = h.distribute(from, on, nil)
	}
	if ctx.Err() == nil {
		h.lost(on, h.runtime.typed(ctx, "events", "", err))
	}
}

// followPodman goes on where podman's events end.
func (h *hub) followPodman(ctx context.Context, from answered, on *stream, heard *resume.Stream) error {
	for {
		began := time.Now()
		failure := h.distribute(from, on, heard)
		pause, again := heard.Ended(time.Since(began))
		if !again || !slept(ctx, pause) {
			return failure
		}
		next, err := h.open(ctx, heard.From())
		if err != nil {
			return err
		}
		from = next
	}
}

// slept waits, and says whether ctx lasted.
func slept(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}

// overlap is how far back a new stream begins. The engine answers the request
// for events a moment before it listens for them itself, so one could get lost
// in between. It is short, because who gets old events has to tell them from
// new ones.
const overlap = 50 * time.Millisecond

// watched are the actions worth hearing of, by docker's names and podman's.
// Each probe of a healthcheck is three exec events, which nobody needs.
var watched = []string{
	"start", "die", "died", "oom", "health_status", "pause", "unpause", "destroy", "remove",
}

// answered is an answer with events. Podman's may end where nothing is wrong;
// docker's end with docker.
type answered struct {
	body   io.ReadCloser
	podman bool
}

// open asks for the events of all containers: podman's engine knows no filter
// for those that have a label, whatever its value.
func (h *hub) open(ctx context.Context, since time.Time) (answered, error) {
	wanted := filters.NewArgs(filters.Arg("type", "container"))
	for _, action := range watched {
		wanted.Add("event", action)
	}
	encoded, err := filters.ToJSON(wanted)
	if err != nil {
		return answered{}, err
	}
	response, err := h.runtime.answer(ctx, http.MethodGet, "/events", url.Values{ //nolint:bodyclose // who reads the events does
		"filters": {encoded},
		"since":   {fmt.Sprintf("%d.%09d", since.Unix(), since.Nanosecond())},
	}, nil)
	if err != nil {
		return answered{}, err
	}
	return answered{response.Body, response.Header.Get("Libpod-Api-Version") != ""}, nil
}

// distribute passes on the events of an answer until they end, but not those
// that were heard before; heard may be nil.
func (h *hub) distribute(from answered, on *stream, heard *resume.Stream) error {
	defer from.body.Close()
	decoder := json.NewDecoder(from.body)
	for {
		var message events.Message
		if err := decoder.Decode(&message); err != nil {
			return err
		}
		if heard != nil && heard.Heard(string(message.Action)+" "+message.Actor.ID, eventTime(message)) {
			continue
		}
		if event, ok := translate(message); ok {
			h.broadcast(on, event)
		}
	}
}

func (h *hub) broadcast(on *stream, event containerEvent) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range on.subscriptions {
		s.put(event)
	}
}

// lost tells everybody that the engine can't be heard any more.
func (h *hub) lost(on *stream, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	event := containerEvent{Event: sdk.Event{Type: sdk.EventLost, Time: time.Now(), Err: err}}
	for s := range on.subscriptions {
		s.put(event)
	}
	h.forget(on)
}

// forget makes the next one who subscribes open another stream. The caller has
// the lock.
func (h *hub) forget(on *stream) {
	clear(on.subscriptions)
	if h.stream == on {
		h.stream = nil
	}
}

func (s *subscription) put(event containerEvent) {
	s.mu.Lock()
	s.queue = append(s.queue, event)
	s.mu.Unlock()
	select {
	case s.filled <- struct{}{}:
	default:
	}
}

// take returns what has come since the last call.
func (s *subscription) take() []containerEvent {
	s.mu.Lock()
	defer s.mu.Unlock()
	queue := s.queue
	s.queue = nil
	return queue
}
