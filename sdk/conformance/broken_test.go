package conformance

import (
	"context"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/fake"
)

// broken is an engine some of whose methods are replaced. Each replacement gets
// the engine to call.
type broken struct {
	*fake.Engine
	// done is closed at the end, so that a replacement may hang.
	done chan struct{}

	start         func(b *broken, ctx context.Context, spec sdk.Spec) (string, error)
	stop          func(b *broken, ctx context.Context, id string, grace time.Duration) error
	wait          func(b *broken, ctx context.Context, id string, check *sdk.Healthcheck) (sdk.State, error)
	inspect       func(b *broken, ctx context.Context, id string) (sdk.State, error)
	list          func(b *broken, ctx context.Context, project string) ([]sdk.State, error)
	remove        func(b *broken, ctx context.Context, id string) error
	logs          func(b *broken, ctx context.Context, id string, o sdk.LogOptions, sink func(sdk.LogEntry) error) error
	exec          func(b *broken, ctx context.Context, id string, o sdk.ExecOptions) (int, error)
	validate      func(b *broken, ctx context.Context, spec sdk.Spec) error
	prepared      func(b *broken, ctx context.Context, spec sdk.Spec) (bool, error)
	prepare       func(b *broken, ctx context.Context, spec sdk.Spec, report func(sdk.Progress)) error
	ensureNetwork func(b *broken, ctx context.Context, n sdk.Network) (bool, error)
	removeNetwork func(b *broken, ctx context.Context, n sdk.Network) error
	ensureVolume  func(b *broken, ctx context.Context, v sdk.Volume) (bool, error)
	listVolumes   func(b *broken, ctx context.Context, project string) ([]sdk.Volume, error)
	setRestart    func(b *broken, ctx context.Context, id string, p sdk.RestartPolicy) error
	env           func(b *broken, ctx context.Context, id string) (map[string]string, error)
	ports         func(b *broken, ctx context.Context) ([]sdk.PublishedPort, error)
	watch         func(b *broken, ctx context.Context, project string, since time.Time) (<-chan sdk.Event, error)
	ping          func(b *broken, ctx context.Context) (sdk.Info, error)
}

func (b *broken) Start(ctx context.Context, spec sdk.Spec) (string, error) {
	if b.start != nil {
		return b.start(b, ctx, spec)
	}
	return b.Engine.Start(ctx, spec)
}

func (b *broken) Stop(ctx context.Context, id string, grace time.Duration) error {
	if b.stop != nil {
		return b.stop(b, ctx, id, grace)
	}
	return b.Engine.Stop(ctx, id, grace)
}

func (b *broken) WaitHealthy(ctx context.Context, id string, check *sdk.Healthcheck) (sdk.State, error) {
	if b.wait != nil {
		return b.wait(b, ctx, id, check)
	}
	return b.Engine.WaitHealthy(ctx, id, check)
}

func (b *broken) Inspect(ctx context.Context, id string) (sdk.State, error) {
	if b.inspect != nil {
		return b.inspect(b, ctx, id)
	}
	return b.Engine.Inspect(ctx, id)
}

func (b *broken) List(ctx context.Context, project string) ([]sdk.State, error) {
	if b.list != nil {
		return b.list(b, ctx, project)
	}
	return b.Engine.List(ctx, project)
}

func (b *broken) Remove(ctx context.Context, id string) error {
	if b.remove != nil {
		return b.remove(b, ctx, id)
	}
	return b.Engine.Remove(ctx, id)
}

func (b *broken) Logs(ctx context.Context, id string, o sdk.LogOptions, sink func(sdk.LogEntry) error) error {
	if b.logs != nil {
		return b.logs(b, ctx, id, o, sink)
	}
	return b.Engine.Logs(ctx, id, o, sink)
}

func (b *broken) Exec(ctx context.Context, id string, o sdk.ExecOptions) (int, error) {
	if b.exec != nil {
		return b.exec(b, ctx, id, o)
	}
	return b.Engine.Exec(ctx, id, o)
}

func (b *broken) Validate(ctx context.Context, spec sdk.Spec) error {
	if b.validate != nil {
		return b.validate(b, ctx, spec)
	}
	return b.Engine.Validate(ctx, spec)
}

func (b *broken) Prepared(ctx context.Context, spec sdk.Spec) (bool, error) {
	if b.prepared != nil {
		return b.prepared(b, ctx, spec)
	}
	return b.Engine.Prepared(ctx, spec)
}

func (b *broken) Prepare(ctx context.Context, spec sdk.Spec, report func(sdk.Progress)) error {
	if b.prepare != nil {
		return b.prepare(b, ctx, spec, report)
	}
	return b.Engine.Prepare(ctx, spec, report)
}

func (b *broken) EnsureNetwork(ctx context.Context, n sdk.Network) (bool, error) {
	if b.ensureNetwork != nil {
		return b.ensureNetwork(b, ctx, n)
	}
	return b.Engine.EnsureNetwork(ctx, n)
}

func (b *broken) RemoveNetwork(ctx context.Context, n sdk.Network) error {
	if b.removeNetwork != nil {
		return b.removeNetwork(b, ctx, n)
	}
	return b.Engine.RemoveNetwork(ctx, n)
}

func (b *broken) EnsureVolume(ctx context.Context, v sdk.Volume) (bool, error) {
	if b.ensureVolume != nil {
		return b.ensureVolume(b, ctx, v)
	}
	return b.Engine.EnsureVolume(ctx, v)
}

func (b *broken) ListVolumes(ctx context.Context, project string) ([]sdk.Volume, error) {
	if b.listVolumes != nil {
		return b.listVolumes(b, ctx, project)
	}
	return b.Engine.ListVolumes(ctx, project)
}

func (b *broken) SetRestart(ctx context.Context, id string, p sdk.RestartPolicy) error {
	if b.setRestart != nil {
		return b.setRestart(b, ctx, id, p)
	}
	return b.Engine.SetRestart(ctx, id, p)
}

func (b *broken) Env(ctx context.Context, id string) (map[string]string, error) {
	if b.env != nil {
		return b.env(b, ctx, id)
	}
	return b.Engine.Env(ctx, id)
}

func (b *broken) PublishedPorts(ctx context.Context) ([]sdk.PublishedPort, error) {
	if b.ports != nil {
		return b.ports(b, ctx)
	}
	return b.Engine.PublishedPorts(ctx)
}

func (b *broken) Watch(ctx context.Context, project string, since time.Time) (<-chan sdk.Event, error) {
	if b.watch != nil {
		return b.watch(b, ctx, project, since)
	}
	return b.Engine.Watch(ctx, project, since)
}

func (b *broken) Ping(ctx context.Context) (sdk.Info, error) {
	if b.ping != nil {
		return b.ping(b, ctx)
	}
	return b.Engine.Ping(ctx)
}

// detached is ctx without its end, for those who don't heed it. It ends with
// the test.
func (b *broken) detached(ctx context.Context) context.Context {
	deaf, cancel := context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		<-b.done
		cancel()
	}()
	return deaf
}

// changing is a start with a changed spec: a field that isn't honoured.
func changing(change func(*sdk.Spec)) broken {
	return broken{start: func(b *broken, ctx context.Context, spec sdk.Spec) (string, error) {
		change(&spec)
		return b.Engine.Start(ctx, spec)
	}}
}

// seeing is an inspect, list and wait that see something else.
func seeing(change func(*sdk.State)) broken {
	return broken{
		inspect: func(b *broken, ctx context.Context, id string) (sdk.State, error) {
			state, err := b.Engine.Inspect(ctx, id)
			change(&state)
			return state, err
		},
		list: func(b *broken, ctx context.Context, project string) ([]sdk.State, error) {
			states, err := b.Engine.List(ctx, project)
			for i := range states {
				change(&states[i])
			}
			return states, err
		},
	}
}

// printing is a log whose entries are changed; nil leaves one out.
func printing(change func(*sdk.LogEntry) *sdk.LogEntry) broken {
	return broken{logs: func(b *broken, ctx context.Context, id string, o sdk.LogOptions, sink func(sdk.LogEntry) error) error {
		return b.Engine.Logs(ctx, id, o, func(entry sdk.LogEntry) error {
			changed := change(&entry)
			if changed == nil {
				return nil
			}
			return sink(*changed)
		})
	}}
}

// telling is a subscription whose events are changed; nil leaves one out.
func telling(change func(*sdk.Event) *sdk.Event) broken {
	return broken{watch: func(b *broken, ctx context.Context, project string, since time.Time) (<-chan sdk.Event, error) {
		events, err := b.Engine.Watch(ctx, project, since)
		if err != nil {
			return nil, err
		}
		return through(events, func(e sdk.Event) []sdk.Event {
			if changed := change(&e); changed != nil {
				return []sdk.Event{*changed}
			}
			return nil
		}), nil
	}}
}

// through hands events on, each as what f makes of it. It never holds up who
// sends them.
func through(events <-chan sdk.Event, f func(sdk.Event) []sdk.Event) <-chan sdk.Event {
	out := make(chan sdk.Event, 1000)
	go func() {
		defer close(out)
		for event := range events {
			for _, e := range f(event) {
				out <- e
			}
		}
	}()
	return out
}
