package wasm

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightshuttle/lightshuttle/host/wasm/module"
	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

// telling is a plugin that tells what it is given, and starts when it may.
type telling struct {
	tells  chan abi.Emission
	starts chan string
}

func (p telling) Close() error { return nil }

func (p telling) Invoke(ctx context.Context, invocation Invocation) (json.RawMessage, error) {
	switch invocation.Op {
	case abi.Start:
		return json.Marshal(abi.StartResult{ID: <-p.starts})
	case abi.Inspect:
		if id := invocation.Args.(abi.IDArgs).ID; id != "foreign" {
			return nil, sdk.Errorf(sdk.CodeNotFound, "", "there is no %s", id)
		}
		labels := map[string]string{sdk.LabelProject: "other", sdk.LabelResource: "db"}
		return json.Marshal(abi.StateResult{State: sdk.State{ID: "foreign", Status: sdk.StatusRunning, Labels: labels}})
	case abi.List:
		return json.Marshal(abi.StatesResult{States: []sdk.State{{ID: "listed", Status: sdk.StatusRunning, Resource: "cache"}}})
	}
	for {
		select {
		case e, ok := <-p.tells:
			if !ok {
				return nil, sdk.Errorf(sdk.CodeUnavailable, "", "the engine is gone")
			}
			invocation.Emission(e)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func newTelling() (telling, Runtime) {
	p := telling{tells: make(chan abi.Emission), starts: make(chan string)}
	report := &module.Report{Operations: []abi.Operation{abi.Start, abi.Stop, abi.WaitHealthy, abi.List, abi.Inspect, abi.Events}}
	return p, Adapt(p, report, Options{Name: "telling", Project: "shop"}, (&Plugin{}).clean)
}

func (p telling) event(id, resource string, kind sdk.EventType) {
	p.tells <- abi.FromEvent(sdk.Event{Type: kind, ID: id, Resource: resource})
}

// A plugin may tell an event by the container's id alone: the host knows whose the
// containers are that it started, starts right now, or has listed.
func TestAnEventNeedsOnlyTheIDOfAContainerThatTheHostKnows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, r := newTelling()
		if _, err := r.List(t.Context(), "shop"); err != nil {
			t.Fatal(err)
		}
		go func() { p.tells <- abi.Emission{Type: abi.EmitSubscribed} }()
		events, err := r.(sdk.Watcher).Watch(t.Context(), "shop", time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for e := range events {
				got = append(got, fmt.Sprintf("%s %s/%s", e.Type, e.ID, e.Resource))
			}
		}()
		started := make(chan error)
		go func() {
			_, err := r.Start(t.Context(), sdk.Spec{Project: "shop", Resource: "db", Name: "shop.db", Image: "db:1"})
			started <- err
		}()
		synctest.Wait()
		p.event("new", "", sdk.EventStarted)
		p.event("foreign", "", sdk.EventStarted)
		p.event("gone", "", sdk.EventStarted)
		p.event("listed", "", sdk.EventExited)
		p.event("told", "web", sdk.EventExited)
		synctest.Wait()
		if want := []string{"exited listed/cache", "exited told/web"}; !slices.Equal(got, want) {
			t.Errorf("while it starts the events are %q, wanted %q", got, want)
		}
		p.starts <- "new"
		if err := <-started; err != nil {
			t.Fatal(err)
		}
		p.event("new", "", sdk.EventExited)
		synctest.Wait()
		close(p.tells)
		<-ended
		want := []string{"exited listed/cache", "exited told/web", "started new/db", "exited new/db", "lost /"}
		if !slices.Equal(got, want) {
			t.Errorf("the events are %q, wanted %q", got, want)
		}
	})
}

func TestAPluginThatEndsBeforeItListensFailsToWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, r := newTelling()
		close(p.tells)
		if _, err := r.(sdk.Watcher).Watch(t.Context(), "shop", time.Time{}); !sdk.IsCode(err, sdk.CodeUnavailable) {
			t.Errorf("got %v", err)
		}
	})
}
