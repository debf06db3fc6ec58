package conformance

import (
	"context"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// watchMutations are those of events, and of what is left.
var watchMutations = []mutation{
	// Watch
	{"the first event is missed", "watch/stands", broken{watch: func(b *broken, ctx context.Context, project string, since time.Time) (<-chan sdk.Event, error) {
		out := make(chan sdk.Event, 1000)
		go func() {
			defer close(out)
			if b.pass(ctx, 35*time.Millisecond) != nil {
				return
			}
			events, err := b.Engine.Watch(ctx, project, since)
			if err != nil {
				return
			}
			for event := range events {
				out <- event
			}
		}()
		return out, nil
	}}},
	{"an exit is told before the start", "watch/order", broken{watch: func(b *broken, ctx context.Context, project string, since time.Time) (<-chan sdk.Event, error) {
		events, err := b.Engine.Watch(ctx, project, since)
		if err != nil {
			return nil, err
		}
		held := map[string]sdk.Event{}
		return through(events, func(e sdk.Event) []sdk.Event {
			started, ok := held[e.ID]
			delete(held, e.ID)
			switch {
			case e.Type == sdk.EventStarted:
				held[e.ID] = e
				return nil
			case ok:
				return []sdk.Event{e, started}
			}
			return []sdk.Event{e}
		}), nil
	}}},
	{"events have no exit code", "watch/exit-codes", telling(func(e *sdk.Event) *sdk.Event {
		e.ExitCode = 0
		return e
	})},
	{"events have no resource", "watch/complete", telling(func(e *sdk.Event) *sdk.Event {
		e.Resource = ""
		return e
	})},
	{"removals aren't told", "watch/killed", telling(func(e *sdk.Event) *sdk.Event {
		if e.Type == sdk.EventRemoved {
			return nil
		}
		return e
	})},
	{"health isn't told", "watch/health", telling(func(e *sdk.Event) *sdk.Event {
		if e.Type == sdk.EventUnhealthy {
			return nil
		}
		return e
	})},
	{"lack of memory isn't heard", "watch/oom", telling(func(e *sdk.Event) *sdk.Event {
		if e.Type == sdk.EventOOM {
			return nil
		}
		return e
	})},
	{"events are told twice", "watch/many", broken{watch: func(b *broken, ctx context.Context, project string, since time.Time) (<-chan sdk.Event, error) {
		events, err := b.Engine.Watch(ctx, project, since)
		if err != nil {
			return nil, err
		}
		return through(events, func(e sdk.Event) []sdk.Event { return []sdk.Event{e, e} }), nil
	}}},
	{"other projects are heard", "watch/own", broken{watch: func(b *broken, ctx context.Context, project string, since time.Time) (<-chan sdk.Event, error) {
		events, err := b.Engine.Watch(ctx, project, since)
		if err != nil {
			return nil, err
		}
		others, err := b.Engine.Watch(ctx, project+"x", since)
		if err != nil {
			return nil, err
		}
		out := make(chan sdk.Event, 1000)
		go func() {
			defer close(out)
			for events != nil || others != nil {
				select {
				case e, ok := <-events:
					if !ok {
						events = nil
						continue
					}
					out <- e
				case e, ok := <-others:
					if !ok {
						others = nil
						continue
					}
					out <- e
				}
			}
		}()
		return out, nil
	}}},
	{"the past is forgotten", "watch/since", broken{watch: func(b *broken, ctx context.Context, project string, _ time.Time) (<-chan sdk.Event, error) {
		return b.Engine.Watch(ctx, project, time.Time{})
	}}},
	{"a subscription doesn't heed its context", "watch/cancelled", broken{watch: func(b *broken, ctx context.Context, project string, since time.Time) (<-chan sdk.Event, error) {
		events, err := b.Engine.Watch(b.detached(ctx), project, since)
		if err != nil {
			return nil, err
		}
		return through(events, func(e sdk.Event) []sdk.Event { return []sdk.Event{e} }), nil
	}}},
	{"a lost engine isn't told", "watch/lost", telling(func(e *sdk.Event) *sdk.Event {
		if e.Type == sdk.EventLost {
			return nil
		}
		return e
	})},

	// The rest
	{"the restart policy is ignored", "restart/on-failure", changing(func(spec *sdk.Spec) { spec.Restart = sdk.RestartPolicy{} })},
	{"what succeeded is restarted on failure", "restart/on-success", changing(func(spec *sdk.Spec) {
		if spec.Restart.Mode == sdk.RestartOnFailure {
			spec.Restart.Mode = sdk.RestartAlways
		}
	})},
	{"everything is restarted", "restart/none", changing(func(spec *sdk.Spec) { spec.Restart.Mode = sdk.RestartAlways })},
	{"what is always to be restarted isn't", "restart/always", changing(func(spec *sdk.Spec) {
		if spec.Restart.Mode == sdk.RestartAlways {
			spec.Restart = sdk.RestartPolicy{}
		}
	})},
	{"restarts aren't counted", "restart/count", seeing(func(state *sdk.State) { state.Restarts = 0 })},
	{"a policy can't be changed", "restart/set", broken{setRestart: func(b *broken, ctx context.Context, id string, _ sdk.RestartPolicy) error {
		_, err := b.Engine.Inspect(ctx, id)
		return err
	}}},
	{"secrets are hidden from Env", "env/complete", broken{env: func(b *broken, ctx context.Context, id string) (map[string]string, error) {
		env, err := b.Engine.Env(ctx, id)
		if _, ok := env["PASSWORD"]; ok {
			env["PASSWORD"] = "***"
		}
		return env, err
	}}},
	{"ping says nothing", "ping/describes", broken{ping: func(_ *broken, ctx context.Context) (sdk.Info, error) { return sdk.Info{}, ctx.Err() }}},
	{"a method panics", "ping/describes", broken{ping: func(_ *broken, ctx context.Context) (sdk.Info, error) {
		if ctx.Err() != nil {
			return sdk.Info{}, ctx.Err()
		}
		panic(errOops)
	}}},
}
