package conformance

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/fake"
)

// containerMutations are those of starting, stopping and removing containers, and of looking at them.
var containerMutations = []mutation{
	// Start
	{"start returns no id", "start/runs", broken{start: func(b *broken, ctx context.Context, spec sdk.Spec) (string, error) {
		_, err := b.Engine.Start(ctx, spec)
		return "", err
	}}},
	{"starts have one id in common", "start/together", broken{start: func(b *broken, ctx context.Context, spec sdk.Spec) (string, error) {
		_, err := b.Engine.Start(ctx, spec)
		return "id-1", err
	}}},
	{"a failed start leaves its container", "start/cancelled", broken{start: func(b *broken, ctx context.Context, spec sdk.Spec) (string, error) {
		id, err := b.Engine.Start(context.WithoutCancel(ctx), spec)
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return id, err
	}}},
	{"a failed start loses the container that was there", "start/name-taken", broken{start: func(b *broken, ctx context.Context, spec sdk.Spec) (string, error) {
		id, err := b.Engine.Start(ctx, spec)
		if sdk.IsCode(err, sdk.CodeConflict) {
			b.removeNamed(ctx, spec.Project, spec.Name)
		}
		return id, err
	}}},
	{"a start takes over a foreign container of its name", "start/name-foreign", broken{start: func(b *broken, ctx context.Context, spec sdk.Spec) (string, error) {
		id, err := b.Engine.Start(ctx, spec)
		if sdk.IsCode(err, sdk.CodeConflict) {
			b.removeNamed(ctx, spec.Project+"x", spec.Name)
			return b.Engine.Start(ctx, spec)
		}
		return id, err
	}}},
	{"errors of starts have no code", "start/no-image-never", broken{start: func(b *broken, ctx context.Context, spec sdk.Spec) (string, error) {
		id, err := b.Engine.Start(ctx, spec)
		if err != nil {
			err = errors.New(err.Error())
		}
		return id, err
	}}},
	{"a port in use is a mere conflict", "start/port-of-program", broken{start: func(b *broken, ctx context.Context, spec sdk.Spec) (string, error) {
		id, err := b.Engine.Start(ctx, spec)
		if sdk.IsCode(err, sdk.CodePortInUse) {
			err = sdk.Errorf(sdk.CodeConflict, "start", "%s", err)
		}
		return id, err
	}}},
	{"a start doesn't heed its context", "start/cancelled-before", broken{start: func(b *broken, ctx context.Context, spec sdk.Spec) (string, error) {
		return b.Engine.Start(context.WithoutCancel(ctx), spec)
	}}},
	{"a container ends with the context of its start", "start/outlives-context", broken{start: func(b *broken, ctx context.Context, spec sdk.Spec) (string, error) {
		id, err := b.Engine.Start(ctx, spec)
		if err == nil {
			context.AfterFunc(ctx, func() { _ = b.Engine.Stop(context.Background(), id, 0) })
		}
		return id, err
	}}},

	// Stop
	{"stop does nothing", "stop/ends", broken{stop: func(*broken, context.Context, string, time.Duration) error { return nil }}},
	{"stopping what is gone is an error", "stop/unknown", broken{stop: func(b *broken, ctx context.Context, id string, grace time.Duration) error {
		if _, err := b.Engine.Inspect(ctx, id); err != nil {
			return err
		}
		return b.Engine.Stop(ctx, id, grace)
	}}},
	{"stopping what has ended is an error", "stop/twice", broken{stop: func(b *broken, ctx context.Context, id string, grace time.Duration) error {
		if state, err := b.Engine.Inspect(ctx, id); err == nil && state.Ended() {
			return sdk.Errorf(sdk.CodeConflict, "stop", "it has ended")
		}
		return b.Engine.Stop(ctx, id, grace)
	}}},
	{"stop kills without asking", "stop/graceful", broken{stop: func(b *broken, ctx context.Context, id string, _ time.Duration) error {
		return b.Engine.Stop(ctx, id, 0)
	}}},
	{"a short grace becomes none", "stop/short-grace", broken{stop: func(b *broken, ctx context.Context, id string, grace time.Duration) error {
		return b.Engine.Stop(ctx, id, grace.Truncate(time.Second))
	}}},
	{"no grace becomes the engine's own", "stop/no-grace", broken{stop: func(b *broken, ctx context.Context, id string, grace time.Duration) error {
		if grace == 0 {
			grace = 10 * time.Second
		}
		return b.Engine.Stop(ctx, id, grace)
	}}},
	{"the grace is halved", "stop/kills", broken{stop: func(b *broken, ctx context.Context, id string, grace time.Duration) error {
		return b.Engine.Stop(ctx, id, grace/2)
	}}},
	{"stop doesn't wait for the end", "stop/waits", broken{stop: func(b *broken, ctx context.Context, id string, grace time.Duration) error {
		stopping := b.detached(ctx)
		go func() { _ = b.Engine.Stop(stopping, id, grace) }()
		return ctx.Err()
	}}},
	{"the stop signal is ignored", "stop/signal", changing(func(spec *sdk.Spec) { spec.Stop.Signal = "" })},
	{"a long stop doesn't heed its context", "stop/cancelled", broken{stop: func(b *broken, ctx context.Context, id string, grace time.Duration) error {
		return b.Engine.Stop(b.detached(ctx), id, grace)
	}}},
	{"stop ends the project's other containers, too", "stop/only-it", broken{stop: func(b *broken, ctx context.Context, id string, grace time.Duration) error {
		state, err := b.Engine.Inspect(ctx, id)
		if err != nil {
			return b.Engine.Stop(ctx, id, grace)
		}
		states, _ := b.Engine.List(ctx, state.Project)
		for _, each := range states {
			if err := b.Engine.Stop(ctx, each.ID, grace); err != nil {
				return err
			}
		}
		return nil
	}}},

	// WaitHealthy
	{"a running container is called healthy", "wait/unhealthy", broken{wait: func(b *broken, ctx context.Context, id string, _ *sdk.Healthcheck) (sdk.State, error) {
		return b.Engine.WaitHealthy(ctx, id, &sdk.Healthcheck{Disable: true})
	}}},
	{"the image's own healthcheck doesn't count", "wait/own-check", broken{wait: func(b *broken, ctx context.Context, id string, check *sdk.Healthcheck) (sdk.State, error) {
		if check == nil {
			check = &sdk.Healthcheck{Disable: true}
		}
		return b.Engine.WaitHealthy(ctx, id, check)
	}}},
	{"a check can't be disabled", "wait/disabled", broken{wait: func(b *broken, ctx context.Context, id string, check *sdk.Healthcheck) (sdk.State, error) {
		if check != nil && check.Disable {
			check = &sdk.Healthcheck{Test: []string{fake.Program, "get"}, Retries: 3, Interval: ms(100)}
		}
		return b.Engine.WaitHealthy(ctx, id, check)
	}}},
	{"a container's end isn't seen by who waits", "wait/exits", broken{wait: func(b *broken, ctx context.Context, id string, check *sdk.Healthcheck) (sdk.State, error) {
		state, err := b.Engine.WaitHealthy(ctx, id, check)
		if sdk.IsCode(err, sdk.CodeExited) && check != nil {
			<-ctx.Done()
			return state, ctx.Err()
		}
		return state, err
	}}},
	{"who waits doesn't learn the exit code", "wait/has-exited", broken{wait: func(b *broken, ctx context.Context, id string, check *sdk.Healthcheck) (sdk.State, error) {
		state, err := b.Engine.WaitHealthy(ctx, id, check)
		if e, ok := errors.AsType[*sdk.Error](err); ok {
			e.ExitCode = 1
		}
		return state, err
	}}},
	{"what a failing check printed is lost", "wait/unhealthy", broken{wait: func(b *broken, ctx context.Context, id string, check *sdk.Healthcheck) (sdk.State, error) {
		state, err := b.Engine.WaitHealthy(ctx, id, check)
		if e, ok := errors.AsType[*sdk.Error](err); ok {
			e.Output = ""
		}
		return state, err
	}}},
	{"there is no start period", "wait/start-period", broken{wait: func(b *broken, ctx context.Context, id string, check *sdk.Healthcheck) (sdk.State, error) {
		if check != nil {
			without := *check
			without.StartPeriod = 0
			check = &without
		}
		return b.Engine.WaitHealthy(ctx, id, check)
	}}},
	{"a check may take for ever", "wait/hanging-check", broken{wait: func(b *broken, ctx context.Context, id string, check *sdk.Healthcheck) (sdk.State, error) {
		if check != nil {
			without := *check
			without.Timeout = ms(3_600_000)
			check = &without
		}
		return b.Engine.WaitHealthy(ctx, id, check)
	}}},
	{"a wait doesn't heed its context", "wait/cancelled", broken{wait: func(b *broken, ctx context.Context, id string, check *sdk.Healthcheck) (sdk.State, error) {
		return b.Engine.WaitHealthy(b.detached(ctx), id, check)
	}}},
	{"the context's error isn't wrapped", "wait/deadline", broken{wait: func(b *broken, ctx context.Context, id string, check *sdk.Healthcheck) (sdk.State, error) {
		state, err := b.Engine.WaitHealthy(ctx, id, check)
		if ctx.Err() != nil {
			err = sdk.Errorf(sdk.CodeTimeout, "healthcheck", "gave up")
		}
		return state, err
	}}},
	{"what isn't there is waited for", "wait/unknown", broken{wait: func(b *broken, ctx context.Context, id string, check *sdk.Healthcheck) (sdk.State, error) {
		state, err := b.Engine.WaitHealthy(ctx, id, check)
		if sdk.IsCode(err, sdk.CodeNotFound) {
			<-ctx.Done()
			return state, ctx.Err()
		}
		return state, err
	}}},
	{"wait returns an empty state", "wait/state", broken{wait: func(b *broken, ctx context.Context, id string, check *sdk.Healthcheck) (sdk.State, error) {
		state, err := b.Engine.WaitHealthy(ctx, id, check)
		return sdk.State{ID: state.ID, Status: state.Status, Health: state.Health}, err
	}}},

	// Inspect and List
	{"labels are dropped", "inspect/labels", seeing(func(state *sdk.State) {
		for name := range state.Labels {
			if strings.HasPrefix(name, "conformance") {
				delete(state.Labels, name)
			}
		}
	})},
	{"values of labels are trimmed", "inspect/labels", seeing(func(state *sdk.State) {
		for name, value := range state.Labels {
			state.Labels[name] = strings.TrimSpace(value)
		}
	})},
	{"labels without a value are dropped", "inspect/label-empty", seeing(func(state *sdk.State) {
		maps.DeleteFunc(state.Labels, func(_, value string) bool { return value == "" })
	})},
	{"the image's id is lost", "inspect/image-id", seeing(func(state *sdk.State) { state.ImageID = "" })},
	{"the exit code is lost", "inspect/ended", seeing(func(state *sdk.State) {
		if state.Ended() {
			state.ExitCode = new(int)
		}
	})},
	{"a running container has an exit code", "inspect/running", seeing(func(state *sdk.State) {
		if state.ExitCode == nil {
			state.ExitCode = new(int)
		}
	})},
	{"the times are lost", "inspect/running", seeing(func(state *sdk.State) { state.StartedAt = time.Time{} })},
	{"what isn't there is found empty", "inspect/unknown", broken{inspect: func(b *broken, ctx context.Context, id string) (sdk.State, error) {
		state, err := b.Engine.Inspect(ctx, id)
		if sdk.IsCode(err, sdk.CodeNotFound) {
			err = nil
		}
		return state, err
	}}},
	{"lack of memory has an exit code of its own", "spec/memory-exceeded", seeing(func(state *sdk.State) {
		if state.OOMKilled {
			state.ExitCode = new(int)
		}
	})},
	{"lack of memory isn't told", "spec/out-of-memory", seeing(func(state *sdk.State) { state.OOMKilled = false })},
	{"ended containers aren't listed", "list/complete", broken{list: func(b *broken, ctx context.Context, project string) ([]sdk.State, error) {
		states, err := b.Engine.List(ctx, project)
		return slices.DeleteFunc(states, sdk.State.Ended), err
	}}},
	{"lists are less than inspect", "list/complete", broken{list: func(b *broken, ctx context.Context, project string) ([]sdk.State, error) {
		states, err := b.Engine.List(ctx, project)
		for i := range states {
			states[i].StartedAt = time.Time{}
		}
		return states, err
	}}},
	{"projects whose names begin alike are listed", "list/own", broken{list: func(b *broken, ctx context.Context, project string) ([]sdk.State, error) {
		states, err := b.Engine.List(ctx, project)
		more, _ := b.Engine.List(ctx, project+"x")
		return append(states, more...), err
	}}},
	{"a project without containers is an error", "list/empty", broken{list: func(b *broken, ctx context.Context, project string) ([]sdk.State, error) {
		states, err := b.Engine.List(ctx, project)
		if err == nil && len(states) == 0 {
			err = sdk.Errorf(sdk.CodeNotFound, "list", "no such project")
		}
		return states, err
	}}},
	{"a list doesn't heed its context", "list/cancelled", broken{list: func(b *broken, ctx context.Context, project string) ([]sdk.State, error) {
		return b.Engine.List(context.WithoutCancel(ctx), project)
	}}},

	// Remove
	{"removing what is gone is an error", "remove/twice", broken{remove: func(b *broken, ctx context.Context, id string) error {
		if _, err := b.Engine.Inspect(ctx, id); err != nil {
			return err
		}
		return b.Engine.Remove(ctx, id)
	}}},
	{"a running container isn't removed", "remove/running", broken{remove: func(b *broken, ctx context.Context, id string) error {
		if state, err := b.Engine.Inspect(ctx, id); err == nil && !state.Ended() {
			return sdk.Errorf(sdk.CodeConflict, "remove", "it runs")
		}
		return b.Engine.Remove(ctx, id)
	}}},
	{"stop removes", "remove/stays", broken{stop: func(b *broken, ctx context.Context, id string, grace time.Duration) error {
		if err := b.Engine.Stop(ctx, id, grace); err != nil {
			return err
		}
		return b.Engine.Remove(ctx, id)
	}}},
	{"a removal that is under way isn't waited for", "remove/together", func() broken {
		var mu sync.Mutex
		removing := map[string]bool{}
		return broken{remove: func(b *broken, ctx context.Context, id string) error {
			mu.Lock()
			again := removing[id]
			removing[id] = true
			mu.Unlock()
			if again {
				return ctx.Err()
			}
			if err := b.pass(ctx, 20*time.Millisecond); err != nil {
				return err
			}
			return b.Engine.Remove(ctx, id)
		}}
	}()},
	{"anonymous volumes are left", "volumes/anonymous", changing(func(spec *sdk.Spec) {
		for i, m := range spec.Mounts {
			if m.Type == sdk.MountVolume && m.Source == "" {
				spec.Mounts = slices.Clone(spec.Mounts)
				spec.Mounts[i].Source = "kept"
			}
		}
	})},
}
