package docker

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

func TestWholeSeconds(t *testing.T) {
	for grace, want := range map[time.Duration]int{
		-time.Second: 0, 0: 0, 1: 1, 500 * time.Millisecond: 1, time.Second: 1, time.Second + 1: 2, 10 * time.Minute: 600, 1<<63 - 1: 9223372037,
	} {
		if got := wholeSeconds(grace); got != want {
			t.Errorf("%s: %d, want %d", grace, got, want)
		}
	}
}

func TestStop(t *testing.T) {
	s := newStage(t)
	for name, test := range map[string]struct {
		command  string
		grace    time.Duration
		exitCode int
		atLeast  time.Duration
	}{
		"one that obeys":                  {"serve", 10 * time.Second, 0, 0},
		"one that doesn't, a short grace": {"stubborn", 200 * time.Millisecond, 137, 900 * time.Millisecond},
		"at once":                         {"stubborn", 0, 137, 0},
	} {
		t.Run(name, func(t *testing.T) {
			id := s.start(t, s.spec(test.command, test.command))
			s.waitPrinted(t, id)
			began := time.Now()
			must(t, s.Stop(t.Context(), id, test.grace))
			took := time.Since(began)
			state, err := s.Inspect(t.Context(), id)
			must(t, err)
			if state.Status != sdk.StatusExited || state.ExitCode == nil || *state.ExitCode != test.exitCode {
				t.Errorf("state %+v", state)
			}
			if took < test.atLeast || took > test.atLeast+5*time.Second {
				t.Errorf("took %s", took)
			}
			must(t, s.Stop(t.Context(), id, test.grace))
			must(t, s.Remove(t.Context(), id))
			must(t, s.Stop(t.Context(), id, test.grace))
			must(t, s.Remove(t.Context(), id))
		})
	}
}

// waitPrinted waits for the container's first line: it handles signals then.
func (s *stage) waitPrinted(t *testing.T, id string) {
	t.Helper()
	err := s.Logs(t.Context(), id, sdk.LogOptions{Follow: true, Tail: -1}, func(sdk.LogEntry) error { return errEnough })
	if !errors.Is(err, errEnough) {
		t.Fatalf("got %v", err)
	}
}

func TestStopEndsWithItsContext(t *testing.T) {
	s := newStage(t)
	id := s.start(t, s.spec("web", "stubborn"))
	s.waitPrinted(t, id)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	wantError(t, s.Stop(ctx, id, time.Hour), sdk.CodeTimeout)
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("took %s", took)
	}
}

func TestStopAndRemoveThePaused(t *testing.T) {
	s := newStage(t)
	for _, resource := range []string{"stopped", "removed"} {
		id := s.start(t, s.spec(resource))
		must(t, s.api.ContainerPause(t.Context(), id))
		state, err := s.Inspect(t.Context(), id)
		must(t, err)
		if state.Status != sdk.StatusPaused {
			t.Errorf("status %s", state.Status)
		}
		if resource == "stopped" {
			must(t, s.Stop(t.Context(), id, 5*time.Second))
		}
		must(t, s.Remove(t.Context(), id))
	}
}

func TestConcurrentRemovals(t *testing.T) {
	s := newStage(t)
	id := s.start(t, s.spec("web"))
	var all sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		all.Go(func() { errs[i] = s.Remove(t.Context(), id) })
	}
	all.Wait()
	for _, err := range errs {
		must(t, err)
	}
	if left := s.left(t); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestList(t *testing.T) {
	s := newStage(t)
	running := s.start(t, s.spec("running"))
	ended := s.finished(t, s.spec("ended", "exit", "3"))
	created := s.spec("created")
	config, host, networking := createConfig(created, s.api.ClientVersion())
	made, err := s.api.ContainerCreate(t.Context(), config, host, networking, nil, created.Name)
	must(t, err)
	states, err := s.List(t.Context(), s.project)
	must(t, err)
	if len(states) != 3 {
		t.Fatalf("got %+v", states)
	}
	for _, state := range states {
		single, err := s.Inspect(t.Context(), state.ID)
		must(t, err)
		if single.Status != state.Status || single.Resource != state.Resource || !slices.Equal(single.Ports, state.Ports) {
			t.Errorf("%+v differs from %+v", state, single)
		}
		if state.Project != s.project || state.Image != tiny || state.ImageID == "" || state.CreatedAt.IsZero() || state.Name != s.project+"-"+state.Resource {
			t.Errorf("state %+v", state)
		}
		switch state.ID {
		case running:
			if state.Status != sdk.StatusRunning || state.Ended() || state.ExitCode != nil || state.Health != sdk.HealthNone || state.StartedAt.IsZero() || !state.FinishedAt.IsZero() {
				t.Errorf("running: %+v", state)
			}
		case ended:
			if state.Status != sdk.StatusExited || *state.ExitCode != 3 || state.FinishedAt.IsZero() {
				t.Errorf("ended: %+v", state)
			}
		case made.ID:
			if state.Status != sdk.StatusCreated || state.ExitCode != nil || !state.StartedAt.IsZero() {
				t.Errorf("created: %+v", state)
			}
		}
	}
	if states, err := s.List(t.Context(), "no-such-project"); err != nil || len(states) != 0 {
		t.Errorf("got %v, %v", states, err)
	}
	_, err = s.Inspect(t.Context(), "no-such-container")
	wantError(t, err, sdk.CodeNotFound)
}
