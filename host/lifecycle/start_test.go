package lifecycle

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightshuttle/lightshuttle/host/plan"
	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/fake"
)

func TestL1AndL3DependentStartsWhenItsDependencyIsReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime := fake.New(scripts{"db": {WaitHealthy: fake.Phase{Delay: 3 * time.Second}}})
		m := newManager(t, checked(stackOf("db", "app < db"), "db"), runtime, Options{})
		began := time.Now()
		if err := m.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		app := runtime.CallsOf("start", "app")[0]
		if waited := app.Began.Sub(began); waited != 3*time.Second {
			t.Errorf("app was started after %s, want exactly the 3s that db needs to be healthy", waited)
		}
		want := []string{
			"stack_starting",
			"resource_starting db", "resource_started db", "resource_healthy db",
			"resource_starting app", "resource_started app", "resource_ready app",
			"stack_started",
		}
		if got := eventsOf(m); !slices.Equal(got, want) {
			t.Errorf("events:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if db := stateOf(t, m, "db"); db.State != Healthy || !db.Ready {
			t.Errorf("db is %s, ready %v; want healthy, ready", db.State, db.Ready)
		}
		if app := stateOf(t, m, "app"); app.State != Running || !app.Ready {
			t.Errorf("app is %s, ready %v; want running, ready", app.State, app.Ready)
		}
	})
}

func TestL1Conditions(t *testing.T) {
	const second = time.Second
	tests := []struct {
		name   string
		plan   *plan.Plan
		script fake.Script
		want   time.Duration
	}{
		{"started doesn't wait for health", checked(stackOf("db", "app < db:started"), "db"), fake.Script{Start: fake.Phase{Delay: second}, WaitHealthy: fake.Phase{Delay: 5 * second}}, second},
		{"healthy waits for the probe", checked(stackOf("db", "app < db:healthy"), "db"), fake.Script{WaitHealthy: fake.Phase{Delay: 5 * second}}, 5 * second},
		{"healthy takes the image's own check", stackOf("db", "app < db:healthy"), fake.Script{ImageCheck: aCheck, WaitHealthy: fake.Phase{Delay: 5 * second}}, 5 * second},
		{"completed waits for exit 0", stackOf("db", "app < db:completed"), fake.Script{Exits: true, ExitAfter: 7 * second}, 7 * second},
		{"completed, exiting before Start returns", stackOf("db", "app < db:completed"), fake.Script{Exits: true}, 0},
		{"completed with a check that passes first", checked(stackOf("db", "app < db:completed"), "db"), fake.Script{WaitHealthy: fake.Phase{Delay: second}, Exits: true, ExitAfter: 7 * second}, 7 * second},
		{"completed with a check that never gets to pass", checked(stackOf("db", "app < db:completed"), "db"), fake.Script{WaitHealthy: fake.Phase{Hang: true}, Exits: true, ExitAfter: 7 * second}, 7 * second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				runtime := fake.New(scripts{"db": test.script})
				m := newManager(t, test.plan, runtime, Options{})
				began := time.Now()
				if err := m.Start(t.Context()); err != nil {
					t.Fatal(err)
				}
				if got := runtime.CallsOf("start", "app")[0].Began.Sub(began); got != test.want {
					t.Errorf("app was started after %s, want %s", got, test.want)
				}
			})
		})
	}
}

func TestL1ConditionHealthyWithoutAnyCheckFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime := fake.New(nil)
		m := newManager(t, stackOf("db", "app < db:healthy"), runtime, Options{})
		err := m.Start(t.Context())
		if err == nil || !strings.Contains(err.Error(), "waits for `db` to be healthy, but neither the manifest nor its image has a healthcheck") {
			t.Errorf("Start() = %v", err)
		}
		wantNothingLeft(t, runtime)
	})
}

func TestL1ConditionHealthyOfWhatCompletesUncheckedFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime := fake.New(scripts{"db": {WaitHealthy: fake.Phase{Hang: true}, Exits: true, ExitAfter: time.Second}})
		m := newManager(t, checked(stackOf("db", "app < db:healthy", "web < db:completed"), "db"), runtime, Options{})
		err := m.Start(t.Context())
		if err == nil || !strings.Contains(err.Error(), "app: it waits for `db` to be healthy, but it completed before its healthcheck passed") {
			t.Errorf("Start() = %v", err)
		}
		wantNothingLeft(t, runtime)
	})
}

func TestAdoptsWhatHasCompleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		zero := 0
		p := stackOf("migrate", "app < migrate:completed", "web < migrate:started")
		migrate := stepOf(p, "migrate")
		migrate.Action = plan.Keep
		migrate.Previous = &sdk.State{ID: "old", Resource: "migrate", Status: sdk.StatusExited, ExitCode: &zero}
		runtime := fake.New(nil)
		m := newManager(t, p, runtime, Options{})
		if err := m.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if again := runtime.CallsOf("start", "migrate"); len(again) > 0 {
			t.Error("what has completed was started again")
		}
	})
}

func TestL2PreparationOverlapsWithWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := fake.Phase{Delay: 10 * time.Second}
		runtime := fake.New(scripts{"db": {WaitHealthy: slow}, "app": {Prepare: slow}})
		p := checked(stackOf("db", "app < db"), "db")
		stepOf(p, "app").Prepare = plan.Pull
		var progress []string
		m := newManager(t, p, runtime, Options{Progress: func(name string, got sdk.Progress) {
			progress = append(progress, name+" "+got.Action)
		}})
		began := time.Now()
		if err := m.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("the start took %s, want 10s: the longest path and not the sum", took)
		}
		if want := []string{"app pull"}; !slices.Equal(progress, want) {
			t.Errorf("progress = %v, want %v", progress, want)
		}
	})
}

func TestL2ParallelBoundsStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		second := fake.Script{Start: fake.Phase{Delay: time.Second}}
		runtime := fake.New(scripts{"a": second, "b": second, "c": second, "d": second, "e": second})
		m := newManager(t, stackOf("a", "b", "c", "d", "e"), runtime, Options{Parallel: 2})
		began := time.Now()
		if err := m.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("five starts of 1s, two at a time, took %s, want 3s", took)
		}
	})
}

func TestL3StabilityWindow(t *testing.T) {
	for _, test := range []struct {
		name   string
		script fake.Script
		fails  bool
	}{
		{"stays up", fake.Script{}, false},
		{"ends within it", fake.Script{Exits: true, ExitAfter: 2 * time.Second}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := stackOf("app")
				stepOf(p, "app").StableFor = 5 * time.Second
				m := newManager(t, p, fake.New(scripts{"app": test.script}), Options{})
				began := time.Now()
				err := m.Start(t.Context())
				if test.fails != (err != nil) {
					t.Fatalf("Start() = %v", err)
				}
				if took, want := time.Since(began), 5*time.Second; !test.fails && took != want {
					t.Errorf("ready after %s, want %s", took, want)
				}
			})
		})
	}
}

func TestL19WhatWasStableIsNotWaitedForAgain(t *testing.T) {
	for _, test := range []struct {
		name   string
		age    time.Duration
		waited time.Duration
	}{
		{"younger than the window", 2 * time.Second, 3 * time.Second},
		{"older", time.Hour, 0},
		{"an engine whose clock is ahead", -time.Minute, 5 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				runtime := fake.New(nil)
				p := stackOf("app")
				app := stepOf(p, "app")
				id, err := runtime.Start(t.Context(), *app.Spec)
				if err != nil {
					t.Fatal(err)
				}
				state, _ := runtime.Inspect(t.Context(), id)
				app.Action, app.Previous, app.StableFor = plan.Keep, &state, 5*time.Second
				m := newManager(t, p, startedAt{runtime, time.Now().Add(-test.age)}, Options{})
				began := time.Now()
				if err := m.Start(t.Context()); err != nil {
					t.Fatal(err)
				}
				if waited := time.Since(began); waited != test.waited {
					t.Errorf("ready after %s, want %s", waited, test.waited)
				}
			})
		})
	}
}

// startedAt is a runtime whose containers have another time of their start.
type startedAt struct {
	*fake.Runtime
	time time.Time
}

func (r startedAt) WaitHealthy(ctx context.Context, id string, check *sdk.Healthcheck) (sdk.State, error) {
	state, err := r.Runtime.WaitHealthy(ctx, id, check)
	state.StartedAt = r.time
	return state, err
}

func TestL5TimeAllowed(t *testing.T) {
	check := *aCheck
	check.Retries = 100
	tests := []struct {
		name string
		step func(*plan.Step)
		want time.Duration
	}{
		{"the least", func(s *plan.Step) { s.Spec.Healthcheck = aCheck }, time.Minute},
		{"a patient healthcheck extends it", func(s *plan.Step) { s.Spec.Healthcheck = &check }, 200 * time.Second},
		{"the resource's own", func(s *plan.Step) { s.Spec.Healthcheck = &check; s.StartTimeout = 7 * time.Second }, 7 * time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := stackOf("db")
				test.step(stepOf(p, "db"))
				m := newManager(t, p, fake.New(scripts{"db": {WaitHealthy: fake.Phase{Hang: true}}}), Options{})
				began := time.Now()
				err := m.Start(t.Context())
				if !sdk.IsCode(asStartError(t, err).Failures[0], sdk.CodeTimeout) {
					t.Errorf("Start() = %v, want a timeout", err)
				}
				if took := time.Since(began); took != test.want {
					t.Errorf("it was given %s, want %s", took, test.want)
				}
			})
		})
	}
}

func TestL5TimeAllowedByTheImagesOwnCheck(t *testing.T) {
	patient := &sdk.Healthcheck{Test: []string{"true"}, StartPeriod: sdk.Duration(5 * time.Minute), Interval: sdk.Duration(10 * time.Second), Timeout: sdk.Duration(5 * time.Second), Retries: 2}
	for name, test := range map[string]struct {
		check *sdk.Healthcheck
		own   time.Duration
		want  time.Duration
	}{
		"a patient one extends it":         {patient, 0, 5*time.Minute + 30*time.Second},
		"an impatient one doesn't cut it":  {aCheck, 0, time.Minute},
		"the resource's own time wins":     {patient, 10 * time.Second, 10 * time.Second},
		"without one there is the minimum": {nil, 0, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := stackOf("db")
				stepOf(p, "db").StartTimeout = test.own
				m := newManager(t, p, fake.New(scripts{"db": {ImageCheck: test.check, WaitHealthy: fake.Phase{Hang: true}}}), Options{})
				began := time.Now()
				err := m.Start(t.Context())
				if !sdk.IsCode(asStartError(t, err).Failures[0], sdk.CodeTimeout) {
					t.Errorf("Start() = %v, want a timeout", err)
				}
				if took := time.Since(began); took != test.want {
					t.Errorf("it was given %s, want %s", took, test.want)
				}
			})
		})
	}
}

func TestStartIsRefusedTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, stackOf("db"), fake.New(nil), Options{})
		if err := m.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := m.Start(t.Context()); !sdk.IsCode(err, sdk.CodeConflict) {
			t.Errorf("second Start() = %v, want a conflict", err)
		}
	})
}

func TestStartOfAnEmptyPlan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime := fake.New(nil)
		m := newManager(t, stackOf(), runtime, Options{})
		if err := m.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := m.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantNothingLeft(t, runtime)
	})
}

func TestNewRefusesACycle(t *testing.T) {
	if _, err := New(stackOf("a < b", "b < a"), fake.New(nil), Options{}); err == nil || !strings.Contains(err.Error(), "a -> b -> a") {
		t.Errorf("New() = %v, want the cycle", err)
	}
}

func TestRecreateAndRemove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime := fake.New(nil)
		old := map[string]*sdk.State{}
		for _, step := range stackOf("db", "gone").Steps {
			id, err := runtime.Start(t.Context(), *step.Spec)
			if err != nil {
				t.Fatal(err)
			}
			state, _ := runtime.Inspect(t.Context(), id)
			old[step.Resource] = &state
		}
		p := stackOf("db", "app < db", "gone")
		db, gone := stepOf(p, "db"), stepOf(p, "gone")
		db.Action, db.Previous = plan.Recreate, old["db"]
		gone.Action, gone.Previous, gone.Spec = plan.Remove, old["gone"], nil
		m := newManager(t, p, runtime, Options{})
		if err := m.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		if got, want := runtime.Left(), []string{"container test.app", "container test.db", "network lightshuttle-test"}; !slices.Equal(got, want) {
			t.Errorf("there is %v, want %v", got, want)
		}
		if stateOf(t, m, "db").ID == old["db"].ID {
			t.Error("db wasn't recreated")
		}
	})
}
