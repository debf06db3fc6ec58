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

// Each of these failures, in each phase, ends the start in time, names the
// culprit, cancels what is in flight, and leaves nothing behind.
func TestL4AndL6AnyFailureEndsTheStart(t *testing.T) {
	boom := errors.New("boom")
	tests := []struct {
		name   string
		script fake.Script
		want   string
		within time.Duration
	}{
		{"prepare fails", fake.Script{Prepare: fake.Phase{Err: boom}}, "boom", 0},
		{"prepare panics", fake.Script{Prepare: fake.Phase{Panic: "oh"}}, "panic: oh", 0},
		{"start fails", fake.Script{Start: fake.Phase{Err: boom}}, "boom", 0},
		{"start fails late", fake.Script{Start: fake.Phase{Delay: 5 * time.Second, Err: boom}}, "boom", 5 * time.Second},
		{"start panics", fake.Script{Start: fake.Phase{Panic: "oh"}}, "panic: oh", 0},
		{"start hangs", fake.Script{Start: fake.Phase{Hang: true}}, "not ready within 1m0s", time.Minute},
		{"wait fails", fake.Script{WaitHealthy: fake.Phase{Err: boom}}, "boom", 0},
		{"wait panics", fake.Script{WaitHealthy: fake.Phase{Panic: "oh"}}, "panic: oh", 0},
		{"wait hangs", fake.Script{WaitHealthy: fake.Phase{Hang: true}}, "not ready within 1m0s", time.Minute},
		{"exits at once", fake.Script{Exits: true, ExitCode: 3}, "exited with code 3", 0},
		{"exits at once with 0", fake.Script{Exits: true}, "exited with code 0", 0},
		{"exits while it is probed", fake.Script{Exits: true, ExitCode: 3, ExitAfter: 2 * time.Second, WaitHealthy: fake.Phase{Hang: true}}, "exited with code 3", 2 * time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				test.script.Log = "last words\n"
				runtime := fake.New(scripts{
					"db":    test.script,
					"slow":  {Prepare: fake.Phase{Delay: time.Hour}},
					"other": {WaitHealthy: fake.Phase{Hang: true}},
				})
				p := checked(stackOf("base", "db < base", "app < db", "web < app", "slow", "other"), "other", "db")
				stepOf(p, "db").Prepare = plan.Pull
				stepOf(p, "slow").Prepare = plan.Pull
				m := newManager(t, p, runtime, Options{StartTimeout: time.Minute})
				stepOf(p, "other").StartTimeout = time.Hour
				began := time.Now()
				err := m.Start(t.Context())
				if took := time.Since(began); took != test.within {
					t.Errorf("Start returned after %s, want %s", took, test.within)
				}
				failed, ok := errors.AsType[*StartError](err)
				if !ok {
					t.Fatalf("Start() = %v, want a *StartError", err)
				}
				if len(failed.Failures) != 1 || failed.Failures[0].Resource != "db" || !strings.Contains(failed.Failures[0].Error(), test.want) {
					t.Errorf("failures = %v, want one of db with %q", failed.Failures, test.want)
				}
				if failed.Rollback != nil {
					t.Errorf("rollback: %v", failed.Rollback)
				}
				wantNothingLeft(t, runtime)
				for name, want := range map[string]State{"db": Failed, "app": Cancelled, "web": Cancelled, "slow": Cancelled, "other": Cancelled} {
					if got := stateOf(t, m, name); got.State != want {
						t.Errorf("%s is %s, want %s", name, got.State, want)
					}
				}
				if got := stateOf(t, m, "app").LastError; !strings.HasPrefix(got, "dependency `db` failed: ") {
					t.Errorf("app says %q", got)
				}
				if got := stateOf(t, m, "web").LastError; !strings.HasPrefix(got, "dependency `app` failed: dependency `db` failed: ") {
					t.Errorf("web says %q", got)
				}
			})
		})
	}
}

func TestL5FailuresOfTheGroundEndTheStart(t *testing.T) {
	refused := sdk.Errorf(sdk.CodeConflict, "network", "the network isn't ours")
	for name, ground := range map[string]func(*fake.Runtime){
		"network": func(r *fake.Runtime) { r.Ground(fake.Phase{Err: refused}, fake.Phase{}) },
		"watch":   func(r *fake.Runtime) { r.Ground(fake.Phase{}, fake.Phase{Err: refused}) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				runtime := fake.New(nil)
				ground(runtime)
				m := newManager(t, stackOf("db", "app < db"), runtime, Options{})
				if err := m.Start(t.Context()); !sdk.IsCode(errors.Unwrap(asStartError(t, err).Failures[0]), sdk.CodeConflict) {
					t.Errorf("Start() = %v", err)
				}
				if started := runtime.CallsOf("start", "db"); len(started) > 0 {
					t.Error("db was started without its ground")
				}
				wantNothingLeft(t, runtime)
			})
		})
	}
}

func TestL7ANetworkWhoseCreationWasCutOffIsRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime := fake.New(scripts{"db": {Prepare: fake.Phase{Delay: time.Second, Err: errors.New("boom")}}})
		runtime.Ground(fake.Phase{Hang: true}, fake.Phase{})
		if _, err := runtime.EnsureNetwork(canceled(t), sdk.Network{Name: "ignored"}); err == nil {
			t.Fatal("a hanging creation succeeds")
		}
		p := stackOf("db")
		stepOf(p, "db").Prepare = plan.Pull
		m := newManager(t, p, &createsAnyway{runtime}, Options{})
		failed := asStartError(t, m.Start(t.Context()))
		if len(failed.Failures) != 1 || failed.Failures[0].Resource != "db" {
			t.Errorf("failures = %v, want that of db alone", failed.Failures)
		}
		wantNothingLeft(t, runtime)
	})
}

func canceled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// createsAnyway is an engine that goes on with a creation whose request was cut
// off.
type createsAnyway struct{ *fake.Runtime }

func (r *createsAnyway) EnsureNetwork(ctx context.Context, network sdk.Network) (bool, error) {
	created, err := r.Runtime.EnsureNetwork(ctx, network)
	if err != nil {
		r.Ground(fake.Phase{}, fake.Phase{})
		_, _ = r.Runtime.EnsureNetwork(context.WithoutCancel(ctx), network)
	}
	return created, err
}

func asStartError(t *testing.T, err error) *StartError {
	t.Helper()
	failed, ok := errors.AsType[*StartError](err)
	if !ok {
		t.Fatalf("error = %v, want a *StartError", err)
	}
	return failed
}

func TestL5ExitOfAReadyResourceFailsAStartThatGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime := fake.New(scripts{
			"db":  {Exits: true, ExitAfter: 5 * time.Second, ExitCode: 1, Log: "out of disk\n"},
			"app": {WaitHealthy: fake.Phase{Delay: 30 * time.Second}},
		})
		m := newManager(t, checked(stackOf("db", "app < db"), "app"), runtime, Options{})
		began := time.Now()
		failed := asStartError(t, m.Start(t.Context()))
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("Start returned after %s, want the 5s after which db exits", took)
		}
		db := failed.Failures[0]
		if db.Resource != "db" || db.ExitCode == nil || *db.ExitCode != 1 || !slices.Equal(db.Logs, []string{"out of disk"}) {
			t.Errorf("failure = %+v", db)
		}
		wantNothingLeft(t, runtime)
	})
}

func TestL6ReportsTheFirstCauseThenTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime := fake.New(scripts{
			"a": {Start: fake.Phase{Delay: time.Second, Err: errors.New("boom")}},
			"b": {Start: fake.Phase{Delay: 2 * time.Second, Deaf: true, Err: errors.New("bang")}},
			"c": {Start: fake.Phase{Delay: time.Minute}},
		})
		m := newManager(t, stackOf("a", "b", "c"), runtime, Options{})
		failed := asStartError(t, m.Start(t.Context()))
		if len(failed.Failures) != 2 {
			t.Fatalf("failures = %v, want those of a and b", failed.Failures)
		}
		if first := failed.Failures[0].Error(); first != "a: boom" {
			t.Errorf("first failure = %s, want a: boom", first)
		}
		if got := stateOf(t, m, "c"); got.State != Cancelled {
			t.Errorf("c is %s, want cancelled", got.State)
		}
	})
}

func TestL7RollbackLeavesWhatRanBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime := fake.New(scripts{"app": {Start: fake.Phase{Err: errors.New("boom")}}})
		if _, err := runtime.EnsureNetwork(t.Context(), stackOf().Network.Network); err != nil {
			t.Fatal(err)
		}
		before, err := runtime.Start(t.Context(), *stackOf("db").Steps[0].Spec)
		if err != nil {
			t.Fatal(err)
		}
		state, _ := runtime.Inspect(t.Context(), before)
		p := stackOf("db", "cache < db", "app < cache")
		db := stepOf(p, "db")
		db.Action, db.Previous = plan.Keep, &state
		m := newManager(t, p, runtime, Options{})
		asStartError(t, m.Start(t.Context()))
		if got := runtime.Left(); !slices.Equal(got, []string{"container test.db", "network lightshuttle-test"}) {
			t.Errorf("left: %v, want what ran before and nothing else", got)
		}
		if err := m.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantNothingLeft(t, runtime)
	})
}

func TestL7RollbackReportsWhatRemains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime := fake.New(scripts{
			"db":  {Remove: fake.Phase{Err: errors.New("device busy")}},
			"app": {Start: fake.Phase{Err: errors.New("boom")}},
		})
		m := newManager(t, stackOf("db", "app < db"), runtime, Options{})
		failed := asStartError(t, m.Start(t.Context()))
		stop, ok := errors.AsType[*StopError](failed.Rollback)
		if !ok || !slices.Contains(stop.Remaining, "test.db") || !strings.Contains(stop.Error(), "device busy") {
			t.Errorf("rollback = %v", failed.Rollback)
		}
	})
}

func TestL7NoRollbackKeepsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime := fake.New(scripts{"app": {Exits: true, ExitCode: 1}})
		m := newManager(t, stackOf("db", "app < db"), runtime, Options{NoRollback: true})
		if failed := asStartError(t, m.Start(t.Context())); !failed.Kept {
			t.Error("the error doesn't say that everything was kept")
		}
		if got := runtime.Left(); len(got) != 3 {
			t.Errorf("left: %v, want two containers and the network", got)
		}
		if err := m.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantNothingLeft(t, runtime)
	})
}

func TestL20PanicIsTheFailureOfItsResource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime := fake.New(scripts{"db": {Start: fake.Phase{Panic: "nil map"}}})
		m := newManager(t, stackOf("db", "app < db"), runtime, Options{})
		failed := asStartError(t, m.Start(t.Context()))
		e, ok := errors.AsType[*sdk.Error](failed)
		if !ok || e.Resource != "db" || e.Code != sdk.CodeInternal || !strings.Contains(e.Output, "goroutine") {
			t.Errorf("error = %+v", e)
		}
	})
}
