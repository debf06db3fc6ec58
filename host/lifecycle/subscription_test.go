package lifecycle

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/lightshuttle/lightshuttle/host/plan"
	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/fake"
)

// kept starts a container of db that is healthy, and a manager that is to keep it.
// Whoever asks whether it is healthy is told "asked".
func kept(t *testing.T, stand bool) (*fake.Runtime, *Manager) {
	t.Helper()
	runtime := fake.New(scripts{"db": {WaitHealthy: fake.Phase{Err: errors.New("asked")}}})
	if _, err := runtime.Start(t.Context(), *stackOf("db").Steps[0].Spec); err != nil {
		t.Fatal(err)
	}
	subscription := Subscribe(t.Context(), runtime, "test")
	t.Cleanup(subscription.Close)
	if stand {
		if err := subscription.Stand(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	db := theContainer(t, runtime, "db")
	db.Health = sdk.HealthHealthy
	p := stackOf("db")
	stepOf(p, "db").Action, stepOf(p, "db").Previous = plan.Keep, &db
	return runtime, newManager(t, p, runtime, Options{Subscription: subscription})
}

func TestL19WhatWasSeenHealthyIsNotLookedAtAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime, m := kept(t, true)
		if err := m.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		// And its events are heard.
		runtime.Exit("db", 3)
		synctest.Wait()
		if db := m.Snapshot()[0]; db.State != Exited {
			t.Errorf("db is %s", db.State)
		}
	})
}

func TestL19WhatWasSeenBeforeAnybodyListenedIsLookedAtAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, m := kept(t, false)
		if err := m.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "asked") {
			t.Errorf("Start() = %v", err)
		}
	})
}

func TestL19WhatChangedSinceItWasSeenIsLookedAtAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime, m := kept(t, true)
		runtime.Exit("db", 3)
		synctest.Wait() // until it is to be heard
		if err := m.Start(t.Context()); err == nil {
			t.Error("an ended container was kept")
		}
	})
}

func TestASubscriptionThatFailsFailsTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime := fake.New(nil)
		runtime.Ground(fake.Phase{}, fake.Phase{Err: errors.New("deaf")})
		subscription := Subscribe(t.Context(), runtime, "test")
		defer subscription.Close()
		m := newManager(t, stackOf("db"), runtime, Options{Subscription: subscription})
		if err := m.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "deaf") {
			t.Errorf("Start() = %v", err)
		}
	})
}
