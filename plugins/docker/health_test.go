package docker

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/lightshuttle/lightshuttle/sdk"
)

func TestWaitHealthy(t *testing.T) {
	s := newStage(t)
	t.Run("a check that passes after a while", func(t *testing.T) {
		spec := s.spec("late")
		spec.Env = map[string]string{"READY_AFTER": "500ms"}
		spec.Healthcheck = check("/tiny", "get")
		// Not the engine's StartedAt: it is taken after the container's
		// process began to count.
		began := time.Now()
		id := s.start(t, spec)
		state, err := s.WaitHealthy(t.Context(), id, spec.Healthcheck)
		must(t, err)
		if state.ID != id || state.Status != sdk.StatusRunning || time.Since(began) < 500*time.Millisecond {
			t.Errorf("state %+v", state)
		}
	})
	t.Run("no check", func(t *testing.T) {
		state, err := s.WaitHealthy(t.Context(), s.start(t, s.spec("plain")), nil)
		must(t, err)
		if state.Status != sdk.StatusRunning || state.Health != sdk.HealthNone {
			t.Errorf("state %+v", state)
		}
	})
	t.Run("the image's check", func(t *testing.T) {
		spec := s.spec("image")
		spec.Image, spec.Env = tinyhc, map[string]string{"READY_AFTER": "300ms"}
		began := time.Now()
		state, err := s.WaitHealthy(t.Context(), s.start(t, spec), nil)
		must(t, err)
		if time.Since(began) < 300*time.Millisecond {
			t.Errorf("ready too early: %+v", state)
		}
	})
	t.Run("the image's check, ignored", func(t *testing.T) {
		spec := s.spec("ignored")
		spec.Image, spec.Env = tinyhc, map[string]string{"READY_AFTER": "1h"}
		spec.Healthcheck = &sdk.Healthcheck{Disable: true}
		state, err := s.WaitHealthy(t.Context(), s.start(t, spec), spec.Healthcheck)
		must(t, err)
		if state.Health != sdk.HealthNone {
			t.Errorf("health %s", state.Health)
		}
	})
	t.Run("a line of the log", func(t *testing.T) {
		spec := s.spec("log")
		spec.Healthcheck = &sdk.Healthcheck{Log: &sdk.LogCheck{Pattern: `^ready \d+$`}}
		_, err := s.WaitHealthy(t.Context(), s.start(t, spec), spec.Healthcheck)
		must(t, err)
	})
	t.Run("a network check", func(t *testing.T) {
		_, err := s.WaitHealthy(t.Context(), "x", &sdk.Healthcheck{HTTP: &sdk.HTTPCheck{Port: 80}})
		wantError(t, err, sdk.CodeUnsupported)
		_, err = s.WaitHealthy(t.Context(), "x", &sdk.Healthcheck{TCP: &sdk.TCPCheck{Port: 80}})
		wantError(t, err, sdk.CodeUnsupported)
	})
	t.Run("no such container", func(t *testing.T) {
		for _, check := range []*sdk.Healthcheck{nil, check("true"), {Log: &sdk.LogCheck{Pattern: "x"}}, {Disable: true}} {
			_, err := s.WaitHealthy(t.Context(), "no-such-container", check)
			wantError(t, err, sdk.CodeNotFound)
		}
	})
}

// What the engine has seen pass needs no probe: a fake engine that knows no exec
// shows that there is none.
func TestWaitHealthyLooksBeforeItProbes(t *testing.T) {
	inspected := func(status, health string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"Id": "c1", "State": {"Status": %q, "Health": {"Status": %q}}, "Config": {"Healthcheck": {"Test": ["CMD", "/tiny", "get"]}}}`, status, health)
		}
	}
	tests := []struct {
		name           string
		status, health string
		check          *sdk.Healthcheck
		probes         bool
	}{
		{"healthy", "running", "healthy", check("/tiny", "get"), false},
		{"healthy by the image's check", "running", "healthy", nil, false},
		{"healthy by another check", "running", "healthy", check("/tiny", "other"), true},
		{"not healthy yet", "running", "starting", check("/tiny", "get"), true},
		{"paused while it was healthy", "paused", "healthy", check("/tiny", "get"), true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var probed atomic.Bool
			_, r := newFake(t, "1.41", map[string]http.HandlerFunc{
				"GET /containers/c1/json": inspected(test.status, test.health),
				"POST /containers/c1/exec": func(w http.ResponseWriter, _ *http.Request) {
					probed.Store(true)
					refuse(w, http.StatusBadRequest, "no")
				},
				"GET /events": func(w http.ResponseWriter, r *http.Request) {
					w.WriteHeader(http.StatusOK)
					w.(http.Flusher).Flush()
					<-r.Context().Done()
				},
			})
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			state, err := r.WaitHealthy(ctx, "c1", test.check)
			if probed.Load() != test.probes {
				t.Fatalf("probed: %v, want %v (%v)", probed.Load(), test.probes, err)
			}
			if !test.probes && (err != nil || state.Health != sdk.HealthHealthy) {
				t.Errorf("WaitHealthy() = %+v, %v", state, err)
			}
		})
	}
}

func TestWaitHealthyFails(t *testing.T) {
	s := newStage(t)
	never := check("/tiny", "get")
	never.Interval, never.Retries = sdk.Duration(time.Minute), 100
	t.Run("when it exits later", func(t *testing.T) {
		spec := s.spec("exits", "exit", "7")
		spec.Env = map[string]string{"EXIT_AFTER": "400ms"}
		spec.Healthcheck = never
		id := s.start(t, spec)
		state, err := s.WaitHealthy(t.Context(), id, never)
		if e := wantError(t, err, sdk.CodeExited, "exited with code 7"); e.ExitCode != 7 {
			t.Errorf("exit code %d", e.ExitCode)
		}
		if state.ID != id || !state.Ended() {
			t.Errorf("state %+v", state)
		}
	})
	t.Run("when it has exited", func(t *testing.T) {
		id := s.finished(t, s.spec("exited", "exit", "7"))
		for _, check := range []*sdk.Healthcheck{nil, never, {Disable: true}, {Log: &sdk.LogCheck{Pattern: "nothing"}}} {
			_, err := s.WaitHealthy(t.Context(), id, check)
			if e := wantError(t, err, sdk.CodeExited); e.ExitCode != 7 {
				t.Errorf("%+v: exit code %d", check, e.ExitCode)
			}
		}
	})
	t.Run("when it is out of memory", func(t *testing.T) {
		spec := s.script("hungry", "sleep 0.3; exec tail /dev/zero")
		spec.Limits.MemoryBytes = 16 << 20
		_, err := s.WaitHealthy(t.Context(), s.start(t, spec), check("false"))
		wantError(t, err, sdk.CodeExited, "memory")
	})
	t.Run("when it is removed", func(t *testing.T) {
		id := s.start(t, s.spec("removed"))
		failed := make(chan error, 1)
		go func() {
			_, err := s.WaitHealthy(t.Context(), id, &sdk.Healthcheck{Test: []string{"/tiny", "get", "http://127.0.0.1:1"}, Retries: 100})
			failed <- err
		}()
		must(t, s.Remove(t.Context(), id))
		err := <-failed
		if !sdk.IsCode(err, sdk.CodeExited) && !sdk.IsCode(err, sdk.CodeNotFound) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("when the check used up its retries", func(t *testing.T) {
		check := check("/tiny", "get", "http://127.0.0.1:1")
		check.Interval, check.Retries = sdk.Duration(100*time.Millisecond), 2
		spec := s.spec("sick")
		_, err := s.WaitHealthy(t.Context(), s.start(t, spec), check)
		if e := wantError(t, err, sdk.CodeUnhealthy); e.Output == "" {
			t.Error("no output")
		}
	})
	t.Run("when the engine calls it unhealthy", func(t *testing.T) {
		spec := s.spec("unhealthy")
		spec.Healthcheck = check("/tiny", "get", "http://127.0.0.1:1")
		spec.Healthcheck.Interval, spec.Healthcheck.Retries = sdk.Duration(100*time.Millisecond), 1
		patient := *spec.Healthcheck
		patient.Retries = 1000
		_, err := s.WaitHealthy(t.Context(), s.start(t, spec), &patient)
		wantError(t, err, sdk.CodeUnhealthy, "engine")
	})
	t.Run("when its context ends", func(t *testing.T) {
		id := s.start(t, s.spec("slow"))
		for _, check := range []*sdk.Healthcheck{
			{Test: []string{"/tiny", "wait"}, Timeout: sdk.Duration(time.Hour)},
			{Log: &sdk.LogCheck{Pattern: "nothing"}},
		} {
			ctx, cancel := context.WithTimeoutCause(t.Context(), 300*time.Millisecond, errEnough)
			began := time.Now()
			_, err := s.WaitHealthy(ctx, id, check)
			cancel()
			if !errors.Is(err, errEnough) && !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 2*time.Second {
				t.Errorf("got %v after %s", err, time.Since(began))
			}
		}
	})
}

// The engine's verdict counts, too: it is heard of in an event.
func TestTheEnginesHealthyCounts(t *testing.T) {
	s := newStage(t)
	spec := s.spec("web")
	spec.Healthcheck = check("/tiny", "get")
	spec.Healthcheck.Interval = sdk.Duration(200 * time.Millisecond)
	id := s.start(t, spec)
	other := check("/tiny", "get", "http://127.0.0.1:1")
	other.Retries, other.Interval = 100, sdk.Duration(time.Minute)
	state, err := s.WaitHealthy(t.Context(), id, other)
	must(t, err)
	if state.Health != sdk.HealthHealthy {
		t.Errorf("health %s", state.Health)
	}
}

// A restart within the moment that a new stream looks back isn't taken for an
// exit.
func TestAnEarlierExitDoesNotCount(t *testing.T) {
	s := newStage(t)
	id := s.start(t, s.spec("web"))
	for range 3 {
		grace := 0
		must(t, s.api.ContainerRestart(t.Context(), id, container.StopOptions{Timeout: &grace}))
		_, err := s.WaitHealthy(t.Context(), id, check("/tiny", "get"))
		must(t, err)
	}
}

func TestWatch(t *testing.T) {
	s := newStage(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	events, err := s.Watch(ctx, s.project, time.Time{})
	must(t, err)
	others, err := s.Watch(ctx, "another-project", time.Time{})
	must(t, err)

	spec := s.spec("web")
	spec.Healthcheck = check("/tiny", "get")
	spec.Healthcheck.Interval = sdk.Duration(100 * time.Millisecond)
	id := s.start(t, spec)
	// dockerd logs a pause once for its API and once for containerd's event,
	// unless the first has been seen by then.
	paused := false
	expect := func(id string, want ...sdk.EventType) sdk.Event {
		t.Helper()
		for {
			select {
			case event := <-events:
				if event.ID != id {
					t.Fatalf("an event of another container: %+v", event)
				}
				if event.Type != want[0] && paused && (event.Type == sdk.EventPaused || event.Type == sdk.EventUnpaused) {
					continue
				}
				if event.Type != want[0] {
					t.Fatalf("got %+v, want %s", event, want[0])
				}
				if want = want[1:]; len(want) == 0 {
					return event
				}
			case <-time.After(20 * time.Second):
				t.Fatalf("no %s", want[0])
			}
		}
	}
	event := expect(id, sdk.EventStarted)
	if event.Resource != "web" || event.Name != spec.Name || time.Since(event.Time).Abs() > 10*time.Second {
		t.Errorf("event %+v", event)
	}
	expect(id, sdk.EventHealthy)
	must(t, s.api.ContainerPause(t.Context(), id))
	expect(id, sdk.EventPaused)
	paused = true
	must(t, s.api.ContainerUnpause(t.Context(), id))
	expect(id, sdk.EventUnpaused)
	must(t, s.Stop(t.Context(), id, time.Second))
	expect(id, sdk.EventExited)
	must(t, s.Remove(t.Context(), id))
	expect(id, sdk.EventRemoved)

	ended := s.start(t, s.spec("ended", "exit", "9"))
	if event := expect(ended, sdk.EventStarted, sdk.EventExited); event.ExitCode != 9 {
		t.Errorf("exit code %d", event.ExitCode)
	}
	hungry := s.script("hungry", "sleep 0.3; exec tail /dev/zero")
	hungry.Limits.MemoryBytes = 16 << 20
	expect(s.start(t, hungry), sdk.EventStarted, sdk.EventOOM, sdk.EventExited)

	cancel()
	for range events {
		t.Error("an event after the end")
	}
	if event, more := <-others; more {
		t.Errorf("another project's watch got %+v", event)
	}
}

func TestCloseEndsWatches(t *testing.T) {
	r, err := Open(Options{})
	must(t, err)
	events, err := r.Watch(t.Context(), "some-project", time.Time{})
	must(t, err)
	must(t, r.Close())
	if event, more := <-events; more {
		t.Errorf("got %+v", event)
	}
	_, err = r.Watch(t.Context(), "some-project", time.Time{})
	if !errors.Is(err, errClosed) {
		t.Errorf("got %v", err)
	}
}

func TestManyAtOnce(t *testing.T) {
	s := newStage(t)
	_, err := s.EnsureNetwork(t.Context(), sdk.Network{Name: s.project, Project: s.project})
	must(t, err)
	var all sync.WaitGroup
	errs := make(chan error, 20)
	for i := range 20 {
		all.Go(func() {
			spec := s.spec(string(rune('a' + i)))
			spec.Network = s.project
			spec.Healthcheck = check("/tiny", "get")
			id, err := s.Start(t.Context(), spec)
			if err == nil {
				_, err = s.WaitHealthy(t.Context(), id, spec.Healthcheck)
			}
			errs <- err
		})
	}
	all.Wait()
	close(errs)
	for err := range errs {
		must(t, err)
	}
	states, err := s.List(t.Context(), s.project)
	must(t, err)
	if len(states) != 20 {
		t.Errorf("%d containers", len(states))
	}
	for _, state := range states {
		all.Go(func() {
			if err := s.Stop(t.Context(), state.ID, time.Second); err != nil {
				t.Error(err)
			}
			if err := s.Remove(t.Context(), state.ID); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}
