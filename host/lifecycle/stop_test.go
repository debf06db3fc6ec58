package lifecycle

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightshuttle/lightshuttle/host/plan"
	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/fake"
)

func started(t *testing.T, p *plan.Plan, runtime sdk.Runtime, options Options) *Manager {
	t.Helper()
	m := newManager(t, p, runtime, options)
	if err := m.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestL9StopsInReverseAndInParallel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stubborn := fake.Script{IgnoresStop: true}
		runtime := fake.New(scripts{"db": stubborn, "a": stubborn, "b": stubborn, "c": stubborn})
		m := started(t, stackOf("db", "a < db", "b < db", "c < db"), runtime, Options{DefaultGrace: 10 * time.Second})
		began := time.Now()
		if err := m.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != 20*time.Second {
			t.Errorf("the stop took %s, want 20s: the longest chain of grace periods", took)
		}
		if waited := runtime.CallsOf("stop", "db")[0].Began.Sub(began); waited != 10*time.Second {
			t.Errorf("db was told to stop after %s, want 10s, when all that need it have stopped", waited)
		}
		wantNothingLeft(t, runtime)
	})
}

func TestL9SixThatIgnoreTheSignalTakeOneGracePeriod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := scripts{}
		names := []string{"a", "b", "c", "d", "e", "f"}
		for _, name := range names {
			all[name] = fake.Script{IgnoresStop: true}
		}
		m := started(t, stackOf(names...), fake.New(all), Options{})
		began := time.Now()
		if err := m.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != DefaultGrace {
			t.Errorf("the stop took %s, want one grace period", took)
		}
	})
}

func TestL10AFailedStopStillRemovesAndDoesNotStrandTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime := fake.New(scripts{
			"a":   {Stop: fake.Phase{Err: errors.New("no answer")}},
			"b":   {Stop: fake.Phase{Hang: true}},
			"db":  {},
			"bad": {Remove: fake.Phase{Hang: true}},
		})
		m := started(t, stackOf("db", "a < db", "b < db", "bad < db"), runtime, Options{})
		began := time.Now()
		err := m.Stop(t.Context())
		failed, ok := errors.AsType[*StopError](err)
		if !ok || len(failed.Failures) != 1 || failed.Failures[0].Resource != "bad" {
			t.Errorf("Stop() = %v, want only bad to fail", err)
		}
		if took := time.Since(began); took > DefaultGrace+stopMargin+2*removeTimeout {
			t.Errorf("the stop took %s", took)
		}
		// What can't be removed still needs the network, and both are reported.
		if got, want := runtime.Left(), []string{"container test.bad", "network lightshuttle-test"}; !slices.Equal(got, want) {
			t.Errorf("left: %v, want %v", got, want)
		}
		if !slices.Contains(failed.Remaining, "test.bad") {
			t.Errorf("remaining = %v", failed.Remaining)
		}
	})
}

func TestL10StopIsIdempotent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime := fake.New(nil)
		m := started(t, stackOf("db"), runtime, Options{})
		for range 3 {
			if err := m.Stop(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if stops := runtime.CallsOf("stop", "db"); len(stops) != 1 {
			t.Errorf("db was stopped %d times", len(stops))
		}
	})
}

// orphaning is a runtime whose engine loses volumes.
type orphaning struct {
	*fake.Runtime
	swept []string
	err   error
}

func (l *orphaning) RemoveOrphans(_ context.Context, project string) error {
	l.swept = append(l.swept, project)
	return l.err
}

func TestL10AStopRemovesTheVolumesThatTheEngineHasLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime := &orphaning{Runtime: fake.New(nil)}
		m := started(t, stackOf("db"), runtime, Options{})
		if err := m.Stop(t.Context()); err != nil || !slices.Equal(runtime.swept, []string{"test"}) {
			t.Errorf("Stop() = %v, swept %v", err, runtime.swept)
		}
	})
}

func TestL10AStopSaysThatLostVolumesAreLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime := &orphaning{Runtime: fake.New(nil), err: errors.New("no answer")}
		m := started(t, stackOf("db"), runtime, Options{})
		failed, ok := errors.AsType[*StopError](m.Stop(t.Context()))
		if !ok || !slices.Contains(failed.Remaining, "anonymous volumes of project test") {
			t.Errorf("Stop() = %v", failed)
		}
	})
}

func TestL10StopOfWhatWasSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime := fake.New(scripts{"app": {IgnoresStop: true}})
		first := started(t, stackOf("db", "app < db"), runtime, Options{})
		first.Close()
		p := stackOf("db", "app < db")
		seen, _ := runtime.List(t.Context(), "test")
		for i := range seen {
			step := stepOf(p, seen[i].Resource)
			step.Action, step.Previous = plan.Remove, &seen[i]
		}
		p.Network.Action = plan.Remove
		m := newManager(t, p, runtime, Options{})
		if err := m.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantNothingLeft(t, runtime)
		if runtime.CallsOf("stop", "db")[0].Began.Before(runtime.CallsOf("remove", "app")[0].Ended) {
			t.Error("db was told to stop before app was gone")
		}
	})
}

func TestL12Grace(t *testing.T) {
	minute := time.Minute
	tests := []struct {
		name    string
		own     time.Duration
		options Options
		want    time.Duration
	}{
		{"the default", 0, Options{}, 10 * time.Second},
		{"the run's", 0, Options{DefaultGrace: 500 * time.Millisecond}, 500 * time.Millisecond},
		{"the resource's own wins over the run's", 3 * time.Second, Options{DefaultGrace: time.Second}, 3 * time.Second},
		{"one for all wins over everything", 3 * time.Second, Options{Grace: &minute}, time.Minute},
		{"a very long one isn't cut short", time.Hour, Options{}, time.Hour},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := stackOf("db")
				stepOf(p, "db").Grace = test.own
				m := started(t, p, fake.New(scripts{"db": {IgnoresStop: true}}), test.options)
				began := time.Now()
				if err := m.Stop(context.Background()); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(began); took != test.want {
					t.Errorf("it was given %s, want %s", took, test.want)
				}
			})
		})
	}
}

func TestKillEndsAllPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stubborn := fake.Script{IgnoresStop: true}
		runtime := fake.New(scripts{"db": stubborn, "app": stubborn})
		m := started(t, stackOf("db", "app < db"), runtime, Options{})
		began := time.Now()
		time.AfterFunc(2*time.Second, m.Kill)
		if err := m.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("the stop took %s, want the 2s until the kill", took)
		}
		wantNothingLeft(t, runtime)
	})
}

func TestStopDuringAStartEndsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime := fake.New(scripts{"app": {Start: fake.Phase{Hang: true}}})
		m := newManager(t, stackOf("db", "app < db"), runtime, Options{})
		startErr := make(chan error, 1)
		go func() { startErr <- m.Start(t.Context()) }()
		synctest.Wait()
		if err := m.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if failed := asStartError(t, <-startErr); failed.Interrupted == nil {
			t.Errorf("Start() = %v, want it interrupted", failed)
		}
		wantNothingLeft(t, runtime)
	})
}

func TestL14Restart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime := fake.New(scripts{"db": {WaitHealthy: fake.Phase{Delay: time.Second}}})
		m := started(t, checked(stackOf("db", "app < db"), "db"), runtime, Options{})
		before := stateOf(t, m, "db").ID
		if err := m.Restart(t.Context(), "db"); err != nil {
			t.Fatal(err)
		}
		db := stateOf(t, m, "db")
		if db.ID == before || db.State != Healthy || db.Restarts != 1 {
			t.Errorf("after the restart db is %+v", db)
		}
		want := "resource_restarting db resource_starting db resource_started db resource_healthy db resource_dependency_restarted app"
		if got := eventsOf(m); !strings.HasSuffix(strings.Join(got, " "), want) {
			t.Errorf("events: %v, want them to end with %s", got, want)
		}
	})
}

func TestL14OneOperationPerResource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime := fake.New(scripts{"db": {WaitHealthy: fake.Phase{Delay: time.Second}}})
		m := started(t, checked(stackOf("db", "app < db"), "db"), runtime, Options{})
		first := make(chan error, 1)
		go func() { first <- m.Restart(t.Context(), "db") }()
		synctest.Wait()
		if err := m.Restart(t.Context(), "db"); !sdk.IsCode(err, sdk.CodeConflict) {
			t.Errorf("a second restart of db: %v, want a conflict", err)
		}
		if err := m.Restart(t.Context(), "app"); err != nil {
			t.Errorf("a restart of app meanwhile: %v", err)
		}
		if err := m.Restart(t.Context(), "nobody"); !sdk.IsCode(err, sdk.CodeNotFound) {
			t.Errorf("a restart of nobody: %v, want not found", err)
		}
		if err := <-first; err != nil {
			t.Errorf("the first restart: %v", err)
		}
	})
}

func TestL14StopWaitsForARestartAndRefusesNewOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime := fake.New(scripts{"app": {IgnoresStop: true}})
		m := started(t, stackOf("db", "app < db"), runtime, Options{})
		restarted := make(chan error, 1)
		go func() { restarted <- m.Restart(t.Context(), "app") }()
		synctest.Wait()
		stopped := make(chan error, 1)
		go func() { stopped <- m.Stop(t.Context()) }()
		synctest.Wait()
		if err := m.Restart(t.Context(), "db"); !sdk.IsCode(err, sdk.CodeConflict) {
			t.Errorf("a restart while stopping: %v, want a conflict", err)
		}
		if err := <-restarted; err == nil {
			t.Error("the restart that the stop cancelled says that it succeeded")
		}
		if err := <-stopped; err != nil {
			t.Errorf("Stop() = %v", err)
		}
		wantNothingLeft(t, runtime)
	})
}

func TestRestartThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		boom := errors.New("boom")
		all := scripts{"db": {}}
		runtime := fake.New(all)
		m := started(t, stackOf("db"), runtime, Options{})
		all["db"] = fake.Script{Start: fake.Phase{Err: boom}}
		if err := m.Restart(t.Context(), "db"); !errors.Is(err, boom) {
			t.Errorf("Restart() = %v, want boom", err)
		}
		if db := stateOf(t, m, "db"); db.State != Failed || db.ID != "" {
			t.Errorf("db is %+v, want it failed without a container", db)
		}
		all["db"] = fake.Script{}
		if err := m.Restart(t.Context(), "db"); err != nil {
			t.Errorf("a second restart: %v", err)
		}
	})
}

func TestL9RemovalHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime := fake.New(scripts{
			"app": {Stop: fake.Phase{Delay: time.Second}, Remove: fake.Phase{Delay: 3 * time.Second}},
			"db":  {Stop: fake.Phase{Delay: time.Second}, Remove: fake.Phase{Delay: 3 * time.Second}},
		})
		m := newManager(t, stackOf("db", "app < db"), runtime, Options{})
		if err := m.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := m.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("the stop took %s, want the two stops one after the other and then one removal", took)
		}
	})
}
