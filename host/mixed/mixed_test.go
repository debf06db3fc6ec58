package mixed

import (
	"context"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/fake"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func two(t *testing.T) (r *Runtime, first, second *fake.Runtime) {
	t.Helper()
	first, second = fake.New(nil), fake.New(nil)
	r, err := New(Member{"first", first}, Member{"second", second})
	if err != nil {
		t.Fatal(err)
	}
	return r, first, second
}

func spec(resource, runtime string) sdk.Spec {
	return sdk.Spec{
		Project: "shop", Resource: resource, Runtime: runtime, Name: "shop." + resource, Image: "image:1",
		Labels: map[string]string{sdk.LabelProject: "shop", sdk.LabelResource: resource},
	}
}

func TestEachResourceRunsWhereItsSpecSays(t *testing.T) {
	r, first, second := two(t)
	for resource, runtime := range map[string]string{"a": "", "b": "first", "c": "second"} {
		id, err := r.Start(t.Context(), spec(resource, runtime))
		if err != nil {
			t.Fatal(err)
		}
		state, err := r.Inspect(t.Context(), id)
		if want := map[string]string{"": "first", "first": "first", "second": "second"}[runtime]; err != nil || state.Runtime != want || state.Resource != resource {
			t.Errorf("Inspect(%s) = %+v, %v; want it on %s", resource, state, err, want)
		}
	}
	if here, there := len(first.CallsOf("start", "a"))+len(first.CallsOf("start", "b")), len(second.CallsOf("start", "c")); here != 2 || there != 1 {
		t.Errorf("%d starts on the first, %d on the second", here, there)
	}
	if _, err := r.Start(t.Context(), spec("d", "third")); !sdk.IsCode(err, sdk.CodeInvalid) {
		t.Errorf("Start() on what isn't in use = %v", err)
	}
	states, err := r.List(t.Context(), "shop")
	if err != nil || len(states) != 3 {
		t.Errorf("List() = %+v, %v", states, err)
	}
}

// Another program's ids are looked for.
func TestAContainerThatWasNotStartedHereIsFound(t *testing.T) {
	r, _, second := two(t)
	id, err := second.Start(t.Context(), spec("c", ""))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Stop(t.Context(), id, 0); err != nil {
		t.Fatal(err)
	}
	if err := r.Remove(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if left := second.Left(); len(left) > 0 {
		t.Errorf("it left %v", left)
	}
	if err := r.Stop(t.Context(), "unknown", 0); err != nil {
		t.Errorf("Stop() of what isn't there = %v", err)
	}
	if _, err := r.Inspect(t.Context(), "unknown"); !sdk.IsCode(err, sdk.CodeNotFound) {
		t.Errorf("Inspect() of what isn't there = %v", err)
	}
}

func TestWatchHearsAllAndLosesAll(t *testing.T) {
	r, first, second := two(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	events, err := r.Watch(ctx, "shop", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	heard := map[string]bool{}
	for _, runtime := range []string{"first", "second"} {
		if _, err := r.Start(ctx, spec(runtime, runtime)); err != nil {
			t.Fatal(err)
		}
		event := <-events
		heard[event.Resource] = event.Type == sdk.EventStarted
	}
	if !heard["first"] || !heard["second"] {
		t.Errorf("heard %v", heard)
	}
	second.LoseEvents()
	for event := range events {
		if event.Type != sdk.EventLost {
			t.Errorf("event = %+v", event)
		}
	}
	_ = first
}

// A runtime that can only do what every runtime can isn't mixed by halves.
func TestNewRefusesWhatCanNotBeWatched(t *testing.T) {
	_, err := New(Member{"one", fake.New(nil)}, Member{"bare", struct{ sdk.Runtime }{fake.New(nil)}})
	if !sdk.IsCode(err, sdk.CodeUnsupported) {
		t.Errorf("New() = %v", err)
	}
}
