package docker

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// hub shares one event stream of the engine among all who wait for events. The
// stream is open while somebody subscribes.
type hub struct {
	runtime *Runtime
	base    context.Context
	end     context.CancelFunc
	workers sync.WaitGroup

	mu            sync.Mutex
	subscriptions map[*subscription]struct{}
	// cancel ends the open stream; nil when there is none.
	cancel context.CancelFunc
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

func newHub(r *Runtime) *hub {
	h := &hub{runtime: r, subscriptions: map[*subscription]struct{}{}}
	h.base, h.end = context.WithCancel(context.Background())
	return h
}

func (h *hub) close() {
	h.end()
	h.workers.Wait()
}

// overlap is how far back a new stream begins. The engine answers the request
// for events a moment before it subscribes the caller, so events could get lost
// in between; a second look at old ones does no harm.
const overlap = time.Second

// watched are the actions worth hearing of. Each probe of a healthcheck is
// three exec events, which nobody needs.
var watched = []string{
	"start", "die", "died", "oom", "health_status", "pause", "unpause", "destroy", "remove",
}

// subscribe returns a subscription that stands, and what ends it.
func (h *hub) subscribe(ctx context.Context) (*subscription, func(), error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.base.Err() != nil {
		return nil, nil, errors.New("the runtime is closed")
	}
	s := &subscription{filled: make(chan struct{}, 1)}
	if h.cancel == nil {
		if err := h.openStream(ctx); err != nil {
			return nil, nil, err
		}
	}
	h.subscriptions[s] = struct{}{}
	return s, func() { h.unsubscribe(s) }, nil
}

func (h *hub) unsubscribe(s *subscription) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.subscriptions, s)
	if len(h.subscriptions) == 0 && h.cancel != nil {
		h.cancel()
		h.cancel = nil
	}
}

// openStream opens the engine's stream. The caller has the lock.
func (h *hub) openStream(ctx context.Context) error {
	streamCtx, cancel := context.WithCancel(h.base)
	args := filters.NewArgs(filters.Arg("type", "container"), filters.Arg("label", sdk.LabelProject))
	for _, action := range watched {
		args.Add("event", action)
	}
	since := strconv.FormatInt(time.Now().Add(-overlap).Unix(), 10)
	// The request itself obeys the caller; the stream outlives it.
	stop := context.AfterFunc(ctx, cancel)
	messages, errs := h.runtime.api.Events(streamCtx, events.ListOptions{Since: since, Filters: args})
	stop()
	select {
	case err := <-errs:
		cancel()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return h.runtime.typed("listen for events", "", err)
	default:
	}
	h.cancel = cancel
	h.workers.Add(1)
	go func() {
		defer h.workers.Done()
		defer cancel()
		h.distribute(streamCtx, messages, errs)
	}()
	return nil
}

func (h *hub) distribute(ctx context.Context, messages <-chan events.Message, errs <-chan error) {
	for {
		select {
		case message := <-messages:
			if event, ok := translate(message); ok {
				h.broadcast(event)
			}
		case err := <-errs:
			if ctx.Err() == nil {
				h.lost(err)
			}
			return
		}
	}
}

func (h *hub) broadcast(event containerEvent) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.subscriptions {
		s.put(event)
	}
}

// lost tells everybody that the engine can't be heard any more. Who wants to
// listen again subscribes again.
func (h *hub) lost(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	event := containerEvent{Event: sdk.Event{Type: sdk.EventLost, Time: time.Now(), Err: h.runtime.typed("listen for events", "", err)}}
	for s := range h.subscriptions {
		s.put(event)
	}
	clear(h.subscriptions)
	h.cancel = nil
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

// awaitEvent returns at the next event of that type for that container.
func awaitEvent(ctx context.Context, s *subscription, id string, kind sdk.EventType) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.filled:
		}
		for _, event := range s.take() {
			if event.Type == sdk.EventLost {
				return event.Err
			}
			if event.Type == kind && event.ID == id {
				return nil
			}
		}
	}
}

// Watch implements sdk.Watcher.
func (r *Runtime) Watch(ctx context.Context, project string) (<-chan sdk.Event, error) {
	s, cancel, err := r.events.subscribe(ctx)
	if err != nil {
		return nil, err
	}
	out := make(chan sdk.Event)
	r.events.workers.Add(1)
	go func() {
		defer r.events.workers.Done()
		defer cancel()
		defer close(out)
		r.deliver(ctx, s, project, out)
	}()
	return out, nil
}

func (r *Runtime) deliver(ctx context.Context, s *subscription, project string, out chan<- sdk.Event) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.events.base.Done():
			return
		case <-s.filled:
		}
		for _, event := range s.take() {
			if event.project != project && event.Type != sdk.EventLost {
				continue
			}
			select {
			case out <- event.Event:
			case <-ctx.Done():
				return
			case <-r.events.base.Done():
				return
			}
			if event.Type == sdk.EventLost {
				return
			}
		}
	}
}

// translate understands docker's names of events and podman's.
func translate(message events.Message) (containerEvent, bool) {
	attributes := message.Actor.Attributes
	event := containerEvent{project: attributes[sdk.LabelProject], Event: sdk.Event{
		ID: message.Actor.ID, Name: attributes["name"], Resource: attributes[sdk.LabelResource], Time: time.Unix(0, message.TimeNano),
	}}
	action, detail, _ := strings.Cut(string(message.Action), ":")
	switch action {
	case "start":
		event.Type = sdk.EventStarted
	case "die", "died":
		event.Type = sdk.EventExited
		event.ExitCode = exitCode(attributes)
	case "oom":
		event.Type = sdk.EventOOM
	case "pause":
		event.Type = sdk.EventPaused
	case "unpause":
		event.Type = sdk.EventUnpaused
	case "destroy", "remove":
		event.Type = sdk.EventRemoved
	case "health_status":
		return healthEvent(event, detail, attributes)
	default:
		return containerEvent{}, false
	}
	return event, true
}

// healthEvent reads the health from the action (docker) or an attribute
// (podman).
func healthEvent(event containerEvent, detail string, attributes map[string]string) (containerEvent, bool) {
	if detail == "" {
		detail = attributes["health_status"]
	}
	switch strings.TrimSpace(detail) {
	case "healthy":
		event.Type = sdk.EventHealthy
	case "unhealthy":
		event.Type = sdk.EventUnhealthy
	default:
		return containerEvent{}, false
	}
	return event, true
}

func exitCode(attributes map[string]string) int {
	text := attributes["exitCode"]
	if text == "" {
		text = attributes["containerExitCode"]
	}
	code, err := strconv.Atoi(text)
	if err != nil {
		return -1
	}
	return code
}
