package conformance

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// heard collects the events of a subscription.
type heard struct {
	mu     sync.Mutex
	events []sdk.Event
	closed bool
}

func (h *heard) all() ([]sdk.Event, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.events), h.closed
}

func (h *heard) listen(events <-chan sdk.Event) {
	for event := range events {
		h.mu.Lock()
		h.events = append(h.events, event)
		h.mu.Unlock()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
}

func (s *stage) watch(ctx context.Context, project string, since time.Time) *heard {
	events, err := s.Runtime.(sdk.Watcher).Watch(ctx, project, since)
	s.must("watch", err)
	h := &heard{}
	go h.listen(events)
	return h
}

// types are what the subscription has heard of one container, in order.
func (h *heard) types(id string) []sdk.EventType {
	events, _ := h.all()
	var types []sdk.EventType
	for _, event := range events {
		if event.ID == id {
			types = append(types, event.Type)
		}
	}
	return types
}

// lastWords is why a subscription ended, if it told.
func lastWords(events []sdk.Event) string {
	if len(events) == 0 || events[len(events)-1].Type != sdk.EventLost {
		return ""
	}
	return fmt.Sprintf("; lost: %v", events[len(events)-1].Err)
}

// hears waits for an event of the container and returns it.
func (s *stage) hears(h *heard, id string, wanted sdk.EventType) sdk.Event {
	var found sdk.Event
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		events, closed := h.all()
		at := slices.IndexFunc(events, func(e sdk.Event) bool { return e.ID == id && e.Type == wanted })
		if at >= 0 {
			return events[at]
		}
		if closed {
			s.fail("the subscription ended without the event %s; heard: %v%s", wanted, h.types(id), lastWords(events))
		}
		select {
		case <-s.ctx.Done():
			s.fail("waited in vain for the event %s; heard: %v", wanted, h.types(id))
			return found
		case <-tick.C:
		}
	}
}

var watchChecks = []check{
	{
		name: "watch/order", level: Full, needs: []ability{watching, remover},
		promise: "the events of a container come in order: started, exited, removed",
		run: func(s *stage) {
			h := s.watch(s.ctx, s.project, time.Time{})
			id := s.start(s.spec("job", "exit", "0"))
			s.hears(h, id, sdk.EventExited)
			s.must("remove", s.remove(s.ctx, id))
			s.hears(h, id, sdk.EventRemoved)
			if types := h.types(id); !slices.Equal(types, []sdk.EventType{sdk.EventStarted, sdk.EventExited, sdk.EventRemoved}) {
				s.errorf("the events are %v", types)
			}
		},
	},
	{
		name: "watch/complete", level: Full, needs: []ability{watching, remover},
		promise: "an event tells id, name, resource and time",
		run: func(s *stage) {
			before := time.Now()
			h := s.watch(s.ctx, s.project, time.Time{})
			spec := s.spec("job", "exit", "0")
			id := s.start(spec)
			s.hears(h, id, sdk.EventExited)
			s.must("remove", s.remove(s.ctx, id))
			s.hears(h, id, sdk.EventRemoved)
			events, _ := h.all()
			var last time.Time
			for _, e := range events {
				if e.Name != spec.Name || e.Resource != spec.Resource {
					s.errorf("the event %s is of the container %q, resource %q", e.Type, e.Name, e.Resource)
				}
				if e.Time.Before(before.Add(-skew)) || e.Time.After(time.Now().Add(skew)) || e.Time.Before(last) {
					s.errorf("the event %s has the time %s, after %s", e.Type, e.Time, last)
				}
				last = e.Time
			}
		},
	},
	{
		name: "watch/stands", level: Full, needs: []ability{watching},
		promise: "the subscription stands when Watch returns: what happens after is heard",
		run: func(s *stage) {
			s.must("prepare", s.prepare(s.spec("job", "exit", "0")))
			for i := range 3 {
				ctx, cancel := context.WithCancel(s.ctx)
				h := s.watch(ctx, s.project, time.Time{})
				id := s.start(s.spec(fmt.Sprintf("job%d", i), "exit", "0"))
				s.hears(h, id, sdk.EventStarted)
				cancel()
			}
		},
	},
	{
		name: "watch/exit-codes", level: Full, needs: []ability{watching},
		promise: "the event exited tells the exit code",
		run: func(s *stage) {
			h := s.watch(s.ctx, s.project, time.Time{})
			for _, code := range []int{0, 3} {
				id := s.start(s.spec("job"+codeText(code), "exit", codeText(code)))
				if e := s.hears(h, id, sdk.EventExited); e.ExitCode != code {
					s.errorf("the event tells the exit code %d, wanted %d", e.ExitCode, code)
				}
			}
		},
	},
	{
		name: "watch/killed", level: Full, needs: []ability{watching, remover, logger},
		promise: "a container that is killed and removed is heard to exit with 137, then to be removed",
		run: func(s *stage) {
			h := s.watch(s.ctx, s.project, time.Time{})
			id := s.start(s.spec("web", "stubborn"))
			s.awaitLine(id, "stubborn")
			s.must("remove", s.remove(s.ctx, id))
			s.hears(h, id, sdk.EventRemoved)
			if e := s.hears(h, id, sdk.EventExited); e.ExitCode != 137 {
				s.errorf("the event tells the exit code %d, wanted 137", e.ExitCode)
			}
			if types := h.types(id); !slices.Equal(types, []sdk.EventType{sdk.EventStarted, sdk.EventExited, sdk.EventRemoved}) {
				s.errorf("the events are %v", types)
			}
		},
	},
	{
		name: "watch/health", level: Full, needs: []ability{watching, program},
		promise: "what the engine's own healthcheck finds is heard between start and end",
		run:     watchHealth,
	},
	{
		name: "watch/oom", level: Full, needs: []ability{watching},
		promise: "a container that is killed for lack of memory is heard to be",
		run: func(s *stage) {
			h := s.watch(s.ctx, s.project, time.Time{})
			spec := s.spec("hungry", "allocate", fmt.Sprint(200<<20))
			spec.Limits.MemoryBytes = 32 << 20
			id := s.honoured(spec, "memory", "limit")
			s.hears(h, id, sdk.EventExited)
			s.hears(h, id, sdk.EventOOM)
		},
	},
	{
		name: "watch/paused", level: Full, needs: []ability{watching, pausing},
		promise: "pausing and going on are heard",
		run: func(s *stage) {
			h := s.watch(s.ctx, s.project, time.Time{})
			id := s.start(s.spec("web", "wait"))
			s.must("pause", s.Outside.Pause(s.ctx, id))
			s.hears(h, id, sdk.EventPaused)
			if i, ok := s.Runtime.(sdk.Inspector); ok {
				if state, err := i.Inspect(s.ctx, id); err != nil || state.Status != sdk.StatusPaused {
					s.errorf("the container is %s, %v", state.Status, err)
				}
			}
			s.must("unpause", s.Outside.Unpause(s.ctx, id))
			s.hears(h, id, sdk.EventUnpaused)
		},
	},
	{
		name: "watch/own", level: Full, needs: []ability{watching},
		promise: "nothing is heard of other projects",
		run: func(s *stage) {
			h := s.watch(s.ctx, s.project, time.Time{})
			foreign := s.spec("foreign", "exit", "0")
			foreign.Project += "x"
			foreign.Labels[sdk.LabelProject] = foreign.Project
			s.start(foreign)
			id := s.start(s.spec("own", "exit", "0"))
			s.hears(h, id, sdk.EventExited)
			events, _ := h.all()
			for _, e := range events {
				if e.ID != id {
					s.errorf("the event %s of %s is heard", e.Type, e.Name)
				}
			}
		},
	},
	{
		name: "watch/several", level: Full, needs: []ability{watching},
		promise: "several subscriptions hear the same, also while one of them isn't read",
		run: func(s *stage) {
			// Nobody reads this one.
			_, err := s.Runtime.(sdk.Watcher).Watch(s.ctx, s.project, time.Time{})
			s.must("watch", err)
			one, other := s.watch(s.ctx, s.project, time.Time{}), s.watch(s.ctx, s.project, time.Time{})
			id := s.start(s.spec("job", "exit", "0"))
			for _, h := range []*heard{one, other} {
				s.hears(h, id, sdk.EventExited)
			}
			if a, b := one.types(id), other.types(id); !slices.Equal(a, b) {
				s.errorf("one heard %v, the other %v", a, b)
			}
		},
	},
	{
		name: "watch/many", level: Full, needs: []ability{watching, remover},
		promise: "no event gets lost when much happens before any is read",
		run:     watchMany,
	},
	{
		name: "watch/since", level: Full, needs: []ability{watching},
		promise: "a since asks for what happened after it, too",
		run:     watchSince,
	},
	{
		name: "watch/cancelled", level: Full, needs: []ability{watching},
		promise: "the channel is closed soon after its context ends, read or not",
		run: func(s *stage) {
			ctx, cancel := context.WithCancel(s.ctx)
			defer cancel()
			events, err := s.Runtime.(sdk.Watcher).Watch(ctx, s.project, time.Time{})
			s.must("watch", err)
			s.start(s.spec("job", "exit", "0"))
			cancel()
			timer := time.NewTimer(s.Soon)
			defer timer.Stop()
			for {
				select {
				case _, open := <-events:
					if !open {
						return
					}
				case <-timer.C:
					s.fail("the channel is open %s after its context has ended", s.Soon)
				}
			}
		},
	},
	{
		name: "watch/cancelled-before", level: Full, needs: []ability{watching},
		promise: "Watch with a context that has ended fails, or returns a channel that is closed",
		run: func(s *stage) {
			ctx, cancel := context.WithCancel(s.ctx)
			cancel()
			events, err := s.Runtime.(sdk.Watcher).Watch(ctx, s.project, time.Time{})
			if err != nil {
				s.wantContextError("watch", err, context.Canceled)
				return
			}
			h := &heard{}
			go h.listen(events)
			s.until("the channel is closed", func() bool {
				_, closed := h.all()
				return closed
			})
		},
	},
	{
		name: "watch/lost", level: Full, needs: []ability{watching, losing}, alone: true,
		promise: "when the engine is lost, a last event says so before the channel is closed",
		run: func(s *stage) {
			h := s.watch(s.ctx, s.project, time.Time{})
			restore := s.Outside.Lose()
			defer restore()
			s.until("the channel is closed", func() bool {
				_, closed := h.all()
				return closed
			})
			events, _ := h.all()
			if len(events) != 1 || events[0].Type != sdk.EventLost {
				s.errorf("the events are %+v, wanted one that says that the engine is lost", events)
			}
		},
	},
}

func watchHealth(s *stage) {
	h := s.watch(s.ctx, s.project, time.Time{})
	healthy, unhealthy := s.running("say", "0"), s.running("say", "1", "not well")
	for _, check := range []*sdk.Healthcheck{healthy, unhealthy} {
		check.Interval, check.Retries, check.Timeout = ms(1000), 2, ms(10_000)
	}
	well := s.guardedBy(healthy, "wait")
	spec := s.spec("ill", "wait")
	spec.Healthcheck = unhealthy
	ill := s.start(spec)
	s.hears(h, well, sdk.EventHealthy)
	s.hears(h, ill, sdk.EventUnhealthy)
	s.must("stop", s.Runtime.Stop(s.ctx, well, longGrace))
	s.hears(h, well, sdk.EventExited)
	if types := h.types(well); len(types) < 3 || types[0] != sdk.EventStarted || types[1] != sdk.EventHealthy || types[len(types)-1] != sdk.EventExited {
		s.errorf("the events are %v", types)
	}
}

// watchMany lets things happen before it reads the first event.
func watchMany(s *stage) {
	const n = 6
	events, err := s.Runtime.(sdk.Watcher).Watch(s.ctx, s.project, time.Time{})
	s.must("watch", err)
	s.must("prepare", s.prepare(s.spec("job", "wait")))
	ids := make([]string, n)
	s.allMust("start and remove", together(n, func(i int) error {
		id, err := s.begin(s.ctx, s.spec(fmt.Sprintf("job%d", i), "wait"))
		if err != nil {
			return err
		}
		ids[i] = id
		return s.remove(s.ctx, id)
	}))
	h := &heard{}
	go h.listen(events)
	for _, id := range ids {
		s.hears(h, id, sdk.EventRemoved)
		if types := h.types(id); !slices.Equal(types, []sdk.EventType{sdk.EventStarted, sdk.EventExited, sdk.EventRemoved}) {
			s.errorf("of one of %d containers the events are %v", n, types)
		}
	}
}

// watchSince asks for the past. How much of it an engine remembers depends on
// what else happens there, so it has several tries.
func watchSince(s *stage) {
	const tries = 3
	for i := range tries {
		since := time.Now()
		id := s.start(s.spec(fmt.Sprintf("job%d", i), "exit", "3"))
		s.endedCore(id)
		ctx, cancel := context.WithTimeout(s.ctx, 3*time.Second)
		h := s.watch(ctx, s.project, since)
		<-ctx.Done()
		cancel()
		types := h.types(id)
		if strings.Contains(fmt.Sprint(types), string(sdk.EventStarted)) && strings.Contains(fmt.Sprint(types), string(sdk.EventExited)) {
			return
		}
		if i == tries-1 {
			s.errorf("of what happened since a moment the events are %v", types)
		}
	}
}
