package lifecycle

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/lightshuttle/lightshuttle/host/plan"
	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/fake"
)

// restarting gives a resource a restart policy.
func restarting(p *plan.Plan, name string, mode sdk.RestartMode, most int) *plan.Plan {
	stepOf(p, name).Restart = sdk.RestartPolicy{Mode: mode, MaxRetries: most}
	return p
}

func TestL13RestartPolicy(t *testing.T) {
	tests := []struct {
		name    string
		mode    sdk.RestartMode
		code    int
		restart bool
	}{
		{"no policy", "", 1, false},
		{"no", sdk.RestartNo, 1, false},
		{"on failure, failed", sdk.RestartOnFailure, 1, true},
		{"on failure, succeeded", sdk.RestartOnFailure, 0, false},
		{"always, failed", sdk.RestartAlways, 1, true},
		{"always, succeeded", sdk.RestartAlways, 0, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				runtime := fake.New(nil)
				m := started(t, restarting(stackOf("db", "app < db"), "db", test.mode, 0), runtime, Options{})
				before := stateOf(t, m, "db").ID
				runtime.Exit("db", test.code)
				synctest.Wait()
				db := stateOf(t, m, "db")
				if db.State != Exited || db.NextStart.IsZero() == test.restart {
					t.Errorf("right after its end db is %s, next start %s", db.State, db.NextStart)
				}
				<-time.After(backoffFirst)
				synctest.Wait()
				db = stateOf(t, m, "db")
				if restarted := db.State == Running && db.ID != before; restarted != test.restart {
					t.Errorf("after the pause db is %+v, want it restarted: %v", db, test.restart)
				}
			})
		})
	}
}

// startsOf returns when a resource's containers were started.
func startsOf(runtime *fake.Runtime, resource string) []time.Time {
	var starts []time.Time
	for _, call := range runtime.CallsOf("start", resource) {
		starts = append(starts, call.Began)
	}
	return starts
}

func TestL13BackoffGrowsToItsCap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := scripts{"db": {}}
		runtime := fake.New(all)
		m := started(t, restarting(stackOf("db"), "db", sdk.RestartAlways, 0), runtime, Options{})
		all["db"] = fake.Script{Exits: true, ExitCode: 1}
		runtime.Exit("db", 1)
		<-time.After(30 * time.Minute)
		starts := startsOf(runtime, "db")
		want := backoffFirst
		for i := 2; i < len(starts); i++ {
			want = min(2*want, backoffMost)
			if got := starts[i].Sub(starts[i-1]); got != want {
				t.Fatalf("restart %d came %s after the one before, want %s", i, got, want)
			}
		}
		if want != backoffMost {
			t.Errorf("in half an hour there were %d restarts, the last pause was %s", len(starts), want)
		}
		if db := stateOf(t, m, "db"); db.Restarts != len(starts)-1 {
			t.Errorf("db says it was restarted %d times, want %d", db.Restarts, len(starts)-1)
		}
	})
}

// What can't even be started isn't tried more and more often either, however
// long it ran before.
func TestL13BackoffGrowsWhereTheStartFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := scripts{"db": {}}
		runtime := fake.New(all)
		started(t, restarting(stackOf("db"), "db", sdk.RestartAlways, 0), runtime, Options{})
		<-time.After(2 * stableAfter)
		all["db"] = fake.Script{Start: fake.Phase{Err: sdk.Errorf(sdk.CodeUnavailable, "start", "there is no engine")}}
		runtime.Exit("db", 1)
		<-time.After(10 * time.Minute)
		starts := startsOf(runtime, "db")
		want := backoffFirst
		for i := 2; i < len(starts); i++ {
			want = min(2*want, backoffMost)
			if got := starts[i].Sub(starts[i-1]); got != want {
				t.Fatalf("start %d came %s after the one before, want %s", i, got, want)
			}
		}
	})
}

// losing is a runtime whose engine goes away in the middle of starts: they
// happen, and nobody hears of it.
type losing struct {
	*fake.Runtime
	starts int
}

func (l *losing) Start(ctx context.Context, spec sdk.Spec) (string, error) {
	id, err := l.Runtime.Start(ctx, spec)
	if err == nil && l.starts > 0 {
		l.starts--
		return "", sdk.Errorf(sdk.CodeUnavailable, "start", "the engine is gone")
	}
	return id, err
}

func TestL13AStartThatWasLostIsCleanedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime := &losing{Runtime: fake.New(nil)}
		m := started(t, restarting(stackOf("db"), "db", sdk.RestartAlways, 0), runtime, Options{})
		runtime.starts = 2
		runtime.Exit("db", 1)
		<-time.After(time.Minute)
		synctest.Wait()
		db := stateOf(t, m, "db")
		seen, err := runtime.List(t.Context(), "test")
		if err != nil || len(seen) != 1 || db.State != Running || seen[0].ID != db.ID {
			t.Errorf("db is %+v, the engine has %+v, %v", db, seen, err)
		}
	})
}

func TestL13AStableTimeForgivesFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime := fake.New(nil)
		m := started(t, restarting(stackOf("db"), "db", sdk.RestartOnFailure, 2), runtime, Options{})
		for range 5 {
			<-time.After(stableAfter)
			runtime.Exit("db", 1)
			<-time.After(backoffFirst)
			synctest.Wait()
			if db := stateOf(t, m, "db"); db.State != Running {
				t.Fatalf("after a crash in its stable time db is %s", db.State)
			}
		}
	})
}

func TestL13MaxRetriesInARow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime := fake.New(nil)
		m := started(t, restarting(stackOf("db"), "db", sdk.RestartOnFailure, 2), runtime, Options{})
		for range 3 {
			runtime.Exit("db", 7)
			<-time.After(time.Second)
		}
		synctest.Wait()
		db := stateOf(t, m, "db")
		if db.State != Exited || db.Restarts != 2 || !strings.Contains(db.LastError, "restarted 2 times in a row") {
			t.Errorf("db is %+v, want it given up after 2 restarts", db)
		}
	})
}

func TestL13UnhealthyIsRestarted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime := fake.New(nil)
		m := started(t, restarting(checked(stackOf("db"), "db"), "db", sdk.RestartOnFailure, 0), runtime, Options{})
		before := stateOf(t, m, "db").ID
		runtime.SetHealth("db", sdk.HealthUnhealthy)
		<-time.After(backoffFirst)
		synctest.Wait()
		if db := stateOf(t, m, "db"); db.State != Healthy || db.ID == before {
			t.Errorf("db is %+v, want it healthy in a new container", db)
		}
	})
}

func TestL13RemovedFromOutsideIsRestarted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime := fake.New(nil)
		m := started(t, restarting(stackOf("db"), "db", sdk.RestartAlways, 0), runtime, Options{})
		runtime.RemoveOutside("db")
		<-time.After(backoffFirst)
		synctest.Wait()
		if db := stateOf(t, m, "db"); db.State != Running {
			t.Errorf("db is %s, want running", db.State)
		}
	})
}

func TestRestartWith(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime := fake.New(nil)
		p := restarting(stackOf("db", "app < db", "other < db"), "db", sdk.RestartAlways, 0)
		stepOf(p, "app").RestartWith = []string{"db"}
		m := started(t, p, runtime, Options{})
		runtime.Exit("db", 1)
		<-time.After(time.Second)
		synctest.Wait()
		if app := stateOf(t, m, "app"); app.Restarts != 1 || app.State != Running {
			t.Errorf("app is %+v, want it restarted with db", app)
		}
		if other := stateOf(t, m, "other"); other.Restarts != 0 {
			t.Errorf("other was restarted %d times", other.Restarts)
		}
		if !slices.Contains(eventsOf(m), "resource_dependency_restarted other") {
			t.Errorf("other wasn't told that db runs anew: %v", eventsOf(m))
		}
	})
}

func TestPausedIsSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime := fake.New(nil)
		m := started(t, checked(stackOf("db"), "db"), runtime, Options{})
		runtime.Pause("db")
		synctest.Wait()
		if db := stateOf(t, m, "db"); db.State != Paused || db.Ready {
			t.Errorf("db is %s, ready %v; want paused, not ready", db.State, db.Ready)
		}
		runtime.Unpause("db")
		synctest.Wait()
		if db := stateOf(t, m, "db"); db.State != Healthy || !db.Ready {
			t.Errorf("db is %s, ready %v; want healthy, ready", db.State, db.Ready)
		}
	})
}

func TestEngineLostAndFoundIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime := fake.New(nil)
		m := started(t, restarting(stackOf("db", "app < db"), "db", sdk.RestartAlways, 0), runtime, Options{})
		<-time.After(time.Second)
		runtime.LoseEvents()
		runtime.Exit("db", 1)
		<-time.After(time.Minute)
		synctest.Wait()
		events := eventsOf(m)
		lost, found := slices.Index(events, "engine_lost"), slices.Index(events, "engine_found")
		exited := slices.Index(events, "resource_exited db")
		if lost < 0 || found < lost || exited < lost {
			t.Errorf("events: %v, want the engine lost, what was missed, and the engine found", events)
		}
		if db := stateOf(t, m, "db"); db.State != Running || db.Restarts != 1 {
			t.Errorf("db is %+v, want it restarted", db)
		}
	})
}

// Who reads of an end that an engine's restart has caused looks at the engine.
func TestAnEndWhileTheEngineWasAwayIsCalledThat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime := fake.New(scripts{"app": {WaitHealthy: fake.Phase{Delay: time.Minute}}})
		m := newManager(t, checked(stackOf("db", "app < db"), "app"), runtime, Options{})
		start := make(chan error, 1)
		go func() { start <- m.Start(t.Context()) }()
		<-time.After(time.Second)
		runtime.LoseEvents()
		runtime.Exit("db", 0)
		failed := asStartError(t, <-start)
		if text := failed.Error(); !strings.Contains(text, "exited with code 0 while the engine was away") {
			t.Errorf("the start failed with %q", text)
		}
	})
}

func TestStartedOutsideIsTakenOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime := fake.New(nil)
		m := started(t, stackOf("db"), runtime, Options{})
		runtime.Exit("db", 1)
		synctest.Wait()
		runtime.StartOutside("db")
		synctest.Wait()
		if db := stateOf(t, m, "db"); db.State != Running || !db.Ready || db.ExitCode != nil {
			t.Errorf("db is %+v, want it running and ready", db)
		}
		runtime.Exit("db", 2)
		synctest.Wait()
		if db := stateOf(t, m, "db"); db.State != Exited || *db.ExitCode != 2 {
			t.Errorf("db is %+v, want its second end seen", db)
		}
	})
}

func TestStopAndStartOfOneResource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime := fake.New(nil)
		m := started(t, restarting(stackOf("db", "app < db"), "db", sdk.RestartAlways, 0), runtime, Options{})
		if err := m.StopResource(t.Context(), "db"); err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Hour)
		synctest.Wait()
		if db := stateOf(t, m, "db"); db.State != Stopped || db.ID == "" {
			t.Errorf("db is %+v, want it stopped, its container kept, whatever its policy", db)
		}
		if err := m.StopResource(t.Context(), "db"); err != nil {
			t.Errorf("a second stop: %v", err)
		}
		if err := m.StopResource(t.Context(), "app"); err != nil {
			t.Fatal(err)
		}
		if err := m.StartResource(t.Context(), "app"); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"db", "app"} {
			if r := stateOf(t, m, name); r.State != Running || !r.Ready {
				t.Errorf("after the start of app %s is %+v", name, r)
			}
		}
		starts := len(runtime.CallsOf("start", "app"))
		if err := m.StartResource(t.Context(), "app"); err != nil || len(runtime.CallsOf("start", "app")) != starts {
			t.Errorf("starting what runs: %v, %d starts more", err, len(runtime.CallsOf("start", "app"))-starts)
		}
		if err := m.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantNothingLeft(t, runtime)
	})
}

func TestL13ANetworkThatIsGoneIsMadeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime := fake.New(nil)
		p := stackOf("db")
		m := started(t, p, runtime, Options{})
		if err := runtime.RemoveNetwork(t.Context(), p.Network.Network); err != nil {
			t.Fatal(err)
		}
		if err := m.Restart(t.Context(), "db"); err != nil {
			t.Fatal(err)
		}
		if left := runtime.Left(); !slices.Contains(left, "network lightshuttle-test") {
			t.Errorf("there are %v, without the network", left)
		}
		if err := m.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantNothingLeft(t, runtime)
	})
}

func TestDetachedLeavesThePolicyToTheEngine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime := fake.New(nil)
		policy := sdk.RestartPolicy{Mode: sdk.RestartAlways}
		started(t, restarting(stackOf("db"), "db", policy.Mode, 0), runtime, Options{Detached: true})
		db := theContainer(t, runtime, "db")
		if db.Restart != policy {
			t.Errorf("the engine's policy is %+v, want %+v", db.Restart, policy)
		}
		// A later `up` that supervises takes it back.
		p := restarting(stackOf("db"), "db", policy.Mode, 0)
		stepOf(p, "db").Action, stepOf(p, "db").Previous = plan.Keep, &db
		started(t, p, runtime, Options{})
		if db := theContainer(t, runtime, "db"); db.Restart != (sdk.RestartPolicy{}) {
			t.Errorf("the engine's policy is %+v, want none", db.Restart)
		}
	})
}

func theContainer(t *testing.T, runtime *fake.Runtime, resource string) sdk.State {
	t.Helper()
	all, err := runtime.List(t.Context(), "test")
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(s sdk.State) bool { return s.Resource == resource })
	if i < 0 {
		t.Fatalf("there is no container of %s", resource)
	}
	return all[i]
}

// A network check goes on after the start, because no engine makes it.
func TestL13LivenessOfNetworkChecks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime := fake.New(nil)
		p := stackOf("web")
		stepOf(p, "web").Spec.Healthcheck = &sdk.Healthcheck{
			TCP: &sdk.TCPCheck{Port: 80}, Interval: sdk.Duration(time.Second), Timeout: sdk.Duration(time.Second), Retries: 3,
		}
		probes := make(chan error, 100)
		m := started(t, p, runtime, Options{NetworkProbe: probesFrom(probes)})
		for range 3 {
			probes <- errors.New("refused")
		}
		<-time.After(3500 * time.Millisecond)
		synctest.Wait()
		if web := stateOf(t, m, "web"); web.State != Unhealthy {
			t.Errorf("after 3 failures web is %s, want unhealthy", web.State)
		}
		<-time.After(time.Second)
		synctest.Wait()
		if web := stateOf(t, m, "web"); web.State != Healthy {
			t.Errorf("after a success web is %s, want healthy", web.State)
		}
	})
}

// L13, L14, L16: whatever happens to containers from outside, and whatever is
// asked for meanwhile, ends: every operation returns, events make sense, and a
// stop leaves nothing behind.
func TestPropertyL13AnythingMayHappen(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := drawStack(rt, false)
		for i := range s.plan.Steps {
			step := &s.plan.Steps[i]
			step.Restart.Mode = rapid.SampledFrom([]sdk.RestartMode{"", sdk.RestartNo, sdk.RestartOnFailure, sdk.RestartAlways}).Draw(rt, "restart")
			step.Restart.MaxRetries = rapid.IntRange(0, 3).Draw(rt, "retries")
			for _, name := range step.DependencyNames() {
				if rapid.Bool().Draw(rt, "with") {
					step.RestartWith = append(step.RestartWith, name)
				}
			}
		}
		happenings := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) happening {
			return happening{
				what: rapid.IntRange(0, 8).Draw(rt, "what"), resource: rapid.SampledFrom(s.plan.Steps).Draw(rt, "resource").Resource,
				after: drawDelay(rt, "after"), code: rapid.IntRange(0, 2).Draw(rt, "code"),
			}
		}), 0, 12).Draw(rt, "happenings")
		inBubble(t, rt, func(t bubble) { checkHappenings(t, s, happenings) })
	})
}

type happening struct {
	what     int
	resource string
	after    time.Duration
	code     int
}

func checkHappenings(t bubble, s randomStack, happenings []happening) {
	runtime := fake.New(s.scripts)
	m, err := New(s.plan, runtime, Options{})
	if err != nil {
		t.fatalf("%v", err)
	}
	defer m.Close()
	if err := m.Start(t.Context()); err != nil {
		t.fatalf("%v", err)
	}
	done := make(chan struct{}, len(happenings))
	for _, h := range happenings {
		time.AfterFunc(h.after, func() {
			happen(t, m, runtime, h)
			done <- struct{}{}
		})
	}
	for range happenings {
		<-done
	}
	<-time.After(10 * time.Minute)
	settled(t, m, runtime)
	if err := m.Stop(t.Context()); err != nil {
		t.fatalf("%v", err)
	}
	if left := runtime.Left(); len(left) > 0 {
		t.fatalf("left behind: %v", left)
	}
	checkEvents(t, m)
}

func happen(t bubble, m *Manager, runtime *fake.Runtime, h happening) {
	switch h.what {
	case 0, 1:
		runtime.Exit(h.resource, h.code)
	case 2:
		runtime.RemoveOutside(h.resource)
	case 3:
		runtime.Pause(h.resource)
	case 4:
		runtime.Unpause(h.resource)
	case 5:
		runtime.LoseEvents()
	case 6:
		_ = m.Restart(t.Context(), h.resource)
	case 7:
		_ = m.StopResource(t.Context(), h.resource)
	case 8:
		_ = m.StartResource(t.Context(), h.resource)
	}
}

// settled wants what is known to be what is there.
func settled(t bubble, m *Manager, runtime *fake.Runtime) {
	all, err := runtime.List(t.Context(), "test")
	if err != nil {
		t.fatalf("%v", err)
	}
	there := map[string]sdk.State{}
	for _, state := range all {
		there[state.ID] = state
	}
	for _, r := range m.Snapshot() {
		state, exists := there[r.ID]
		runs := exists && state.Status == sdk.StatusRunning
		switch r.State {
		case Running, Healthy, Unhealthy:
			if !runs {
				t.fatalf("%s is said to be %s, but its container is %q", r.Name, r.State, state.Status)
			}
		case Exited, Stopped, Failed:
			if runs && r.NextStart.IsZero() {
				t.fatalf("%s is said to be %s, but its container runs", r.Name, r.State)
			}
		case Paused, Restarting, Starting:
		case Pending, Preparing, Stopping, Cancelled:
			t.fatalf("%s is still %s", r.Name, r.State)
		}
	}
}

// probesFrom is a network probe whose results are told in advance; without one
// it passes.
func probesFrom(results <-chan error) func(context.Context, sdk.Inspector, string, sdk.Healthcheck) error {
	return func(context.Context, sdk.Inspector, string, sdk.Healthcheck) error {
		select {
		case err := <-results:
			return err
		default:
			return nil
		}
	}
}

func TestL19WhatDependsOnARecreatedResourceIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime := fake.New(nil)
		started(t, stackOf("db", "app < db"), runtime, Options{})
		db, app := theContainer(t, runtime, "db"), theContainer(t, runtime, "app")
		p := stackOf("db", "app < db")
		stepOf(p, "db").Action, stepOf(p, "db").Previous = plan.Recreate, &db
		stepOf(p, "app").Action, stepOf(p, "app").Previous = plan.Keep, &app
		m := started(t, p, runtime, Options{})
		if !slices.Contains(eventsOf(m), "resource_dependency_restarted app") {
			t.Errorf("app wasn't told: %v", eventsOf(m))
		}
		if now := theContainer(t, runtime, "app"); now.ID != app.ID {
			t.Error("app was recreated, too")
		}
	})
}
