package wasm

import (
	"context"
	"errors"
	"time"

	"github.com/lightshuttle/lightshuttle/host/wasm/module"
	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
	"github.com/lightshuttle/lightshuttle/sdk/directory"
	"github.com/lightshuttle/lightshuttle/sdk/probe"
)

// base is what every plugin can do, by itself or with the host's help.
type base struct {
	invoker Invoker
	name    string
	report  *module.Report
	ids     *ids
	// names are whose containers are, for plugins that tell an event's id alone.
	names *directory.Directory
	// ground is held while a network or a volume is ensured: a plugin looks and
	// creates, and its operations know nothing of each other.
	ground chan struct{}
	clean  func(string) string
}

// Close ends what runs.
func (b *base) Close() error { return b.invoker.Close() }

// Report is what is known of the module without running it.
func (b *base) Report() *module.Report { return b.report }

func (b *base) protocol(op abi.Operation, format string, args ...any) error {
	return &Failure{Kind: Protocol, Plugin: b.name, Op: string(op), Err: because(sdk.CodeInternal, hintAuthor, format, args...)}
}

// Start implements sdk.Runtime.
func (b *base) Start(ctx context.Context, spec sdk.Spec) (string, error) {
	begun := b.names.Starting()
	defer begun()
	result, err := invoke[abi.StartResult](ctx, b, Invocation{Op: abi.Start, Args: abi.SpecArgs{Spec: spec}})
	if err != nil {
		return "", err
	}
	if !usable(result.ID) {
		return "", b.protocol(abi.Start, "it returned an id that can't be used: %q", clip(result.ID))
	}
	b.names.Put(result.ID, directory.Identity{Name: spec.Name, Project: spec.Project, Resource: spec.Resource})
	if b.report.Can(abi.List) {
		return result.ID, nil
	}
	if err := b.ids.put(ctx, spec, result.ID); err != nil {
		// Nobody would find it again.
		stopErr := b.Stop(context.WithoutCancel(ctx), result.ID, 0)
		return "", errors.Join(err, stopErr)
	}
	return result.ID, nil
}

// Stop implements sdk.Runtime.
func (b *base) Stop(ctx context.Context, id string, grace time.Duration) error {
	// A grace longer than the usual time for an operation isn't cut short (L12).
	_, err := invoke[abi.None](ctx, b, Invocation{Op: abi.Stop, Args: abi.StopArgs{ID: id, Grace: sdk.Duration(grace)}, Extra: grace})
	if err != nil {
		return err
	}
	if b.report.Can(abi.Remove) || b.report.Can(abi.List) {
		return nil
	}
	// What is stopped for good is gone, where nothing can be removed.
	return b.ids.remove(ctx, id)
}

// Remove implements sdk.Remover. A plugin that can't remove has nothing left of
// what it stopped.
func (b *base) Remove(ctx context.Context, id string) error {
	if !b.report.Can(abi.Remove) {
		return b.Stop(ctx, id, 0)
	}
	if _, err := invoke[abi.None](ctx, b, Invocation{Op: abi.Remove, Args: abi.IDArgs{ID: id}}); err != nil {
		return err
	}
	if b.report.Can(abi.List) {
		return nil
	}
	return b.ids.remove(ctx, id)
}

// WaitHealthy implements sdk.Runtime.
func (b *base) WaitHealthy(ctx context.Context, id string, check *sdk.Healthcheck) (sdk.State, error) {
	if !b.report.Can(abi.WaitHealthy) {
		return b.waitByLooking(ctx, id, check)
	}
	result, err := invoke[abi.StateResult](ctx, b, Invocation{
		Op: abi.WaitHealthy, Args: abi.WaitHealthyArgs{ID: id, Healthcheck: check}, Unbounded: true,
	})
	if err != nil {
		return sdk.State{}, err
	}
	if result.State.ID != "" {
		return result.State, b.checkState(abi.WaitHealthy, &result.State)
	}
	if b.report.Can(abi.Inspect) {
		return b.inspect(ctx, id)
	}
	// A small plugin may leave the state out.
	state := b.ids.state(id)
	if check != nil && !check.Disable {
		state.Health = sdk.HealthHealthy
	}
	return state, nil
}

func (b *base) inspect(ctx context.Context, id string) (sdk.State, error) {
	result, err := invoke[abi.StateResult](ctx, b, Invocation{Op: abi.Inspect, Args: abi.IDArgs{ID: id}})
	if err != nil {
		return sdk.State{}, err
	}
	return result.State, b.checkState(abi.Inspect, &result.State)
}

// waitByLooking is the host's own way of waiting, for plugins that can only
// look.
func (b *base) waitByLooking(ctx context.Context, id string, check *sdk.Healthcheck) (sdk.State, error) {
	if check != nil && len(check.Test) > 0 {
		return b.waitByProbing(ctx, id, *check)
	}
	var last sdk.State
	wanted := sdk.Healthcheck{Retries: 1 << 30, Interval: sdk.Duration(time.Second)}
	err := probe.Until(ctx, wanted, func(ctx context.Context) (probe.Result, error) {
		state, err := b.alive(ctx, id)
		last = state
		if err != nil {
			return probe.Result{}, err
		}
		switch {
		case state.Status != sdk.StatusRunning:
			return probe.Result{Output: "it is " + string(state.Status)}, nil
		case check != nil && check.Disable, state.Health == sdk.HealthNone, state.Health == sdk.HealthHealthy:
			return probe.Result{Passed: true}, nil
		case state.Health == sdk.HealthUnhealthy:
			return probe.Result{}, &sdk.Error{Code: sdk.CodeUnhealthy, Op: "healthcheck", Err: errors.New("the engine calls it unhealthy"), Output: state.HealthOutput}
		}
		return probe.Result{Output: state.HealthOutput}, nil
	})
	return last, err
}

// waitByProbing runs the check in the container.
func (b *base) waitByProbing(ctx context.Context, id string, check sdk.Healthcheck) (sdk.State, error) {
	if !b.report.Can(abi.Exec) {
		return sdk.State{}, sdk.Errorf(sdk.CodeUnsupported, "healthcheck", "plugin %s can't run commands in a container, which healthcheck.test needs", b.name)
	}
	attempt := probe.Exec(execer{b}, id, check.Test)
	var last sdk.State
	err := probe.Until(ctx, check, func(ctx context.Context) (probe.Result, error) {
		result, err := attempt(ctx)
		if err == nil && result.Passed {
			return result, nil
		}
		// Whether it failed for good is seen from the container.
		state, lookErr := b.alive(ctx, id)
		last = state
		if lookErr != nil {
			return probe.Result{}, lookErr
		}
		if err != nil {
			if sdk.IsCode(err, sdk.CodeUnsupported) || sdk.IsCode(err, sdk.CodeDenied) {
				return probe.Result{}, err
			}
			return probe.Result{Output: err.Error()}, nil
		}
		return result, nil
	})
	if err != nil {
		return last, err
	}
	state, err := b.inspect(ctx, id)
	if err == nil {
		state.Health = sdk.HealthHealthy
	}
	return state, err
}

// alive looks at a container, and fails with CodeExited when it has ended.
func (b *base) alive(ctx context.Context, id string) (sdk.State, error) {
	state, err := b.inspect(ctx, id)
	if sdk.IsCode(err, sdk.CodeNotFound) {
		return state, sdk.Errorf(sdk.CodeExited, "healthcheck", "it is gone")
	}
	if err != nil || !state.Ended() {
		return state, err
	}
	ended := sdk.Errorf(sdk.CodeExited, "healthcheck", "it has ended")
	if state.ExitCode != nil {
		ended.ExitCode = *state.ExitCode
		ended = sdk.Errorf(sdk.CodeExited, "healthcheck", "it has ended with exit code %d", *state.ExitCode)
		ended.ExitCode = *state.ExitCode
	}
	return state, ended
}

// Ping implements sdk.Pinger. A plugin without it is there as soon as it is
// loaded.
func (b *base) Ping(ctx context.Context) (sdk.Info, error) {
	if !b.report.Can(abi.Ping) {
		return sdk.Info{Name: b.name, Version: b.report.Manifest.Version}, nil
	}
	result, err := invoke[abi.InfoResult](ctx, b, Invocation{Op: abi.Ping, Args: abi.None{}})
	info := result.Info
	oneLine(&info.Name, &info.Version, &info.APIVersion, &info.Address, &info.OS, &info.Arch)
	return info, err
}

// Validate implements sdk.Validator. A plugin without it has no objections yet.
func (b *base) Validate(ctx context.Context, spec sdk.Spec) error {
	if !b.report.Can(abi.Validate) {
		return nil
	}
	_, err := invoke[abi.None](ctx, b, Invocation{Op: abi.Validate, Args: abi.SpecArgs{Spec: spec}})
	return err
}

// List implements sdk.Lister. For a plugin that can't list, it is what the host
// has noted.
func (b *base) List(ctx context.Context, project string) ([]sdk.State, error) {
	if !b.report.Can(abi.List) {
		return b.listNoted(ctx, project)
	}
	result, err := invoke[abi.StatesResult](ctx, b, Invocation{Op: abi.List, Args: abi.ProjectArgs{Project: project}})
	if err != nil {
		return nil, err
	}
	for i := range result.States {
		if err := b.checkState(abi.List, &result.States[i]); err != nil {
			return nil, err
		}
		b.listed(project, result.States[i])
	}
	return result.States, nil
}

func (b *base) listed(project string, state sdk.State) {
	b.names.Put(state.ID, directory.Identity{Name: state.Name, Project: project, Resource: state.Resource})
}

func (b *base) listNoted(ctx context.Context, project string) ([]sdk.State, error) {
	noted, err := b.ids.list(project)
	if err != nil {
		return nil, err
	}
	var states []sdk.State
	for _, n := range noted {
		state := n.state()
		if b.report.Can(abi.Inspect) {
			seen, err := b.inspect(ctx, n.ID)
			if sdk.IsCode(err, sdk.CodeNotFound) {
				if err := b.ids.remove(ctx, n.ID); err != nil {
					return nil, err
				}
				continue
			}
			if err != nil {
				return nil, err
			}
			state = n.complete(seen)
		}
		b.listed(project, state)
		states = append(states, state)
	}
	return states, nil
}

// SetRestart implements sdk.Restarter.
func (b *base) SetRestart(ctx context.Context, id string, policy sdk.RestartPolicy) error {
	if !b.report.Can(abi.RestartPolicy) {
		return sdk.Errorf(sdk.CodeUnsupported, "restart policy", "the engine of plugin %s has none", b.name)
	}
	_, err := invoke[abi.None](ctx, b, Invocation{Op: abi.RestartPolicy, Args: abi.RestartPolicyArgs{ID: id, Restart: policy}})
	return err
}

// Env implements sdk.EnvReader.
func (b *base) Env(ctx context.Context, id string) (map[string]string, error) {
	if !b.report.Can(abi.Env) {
		return nil, sdk.Errorf(sdk.CodeUnsupported, "env", "plugin %s can't tell the environment of a container", b.name)
	}
	result, err := invoke[abi.EnvResult](ctx, b, Invocation{Op: abi.Env, Args: abi.IDArgs{ID: id}})
	return result.Env, err
}

// PublishedPorts implements sdk.PortFinder. A plugin without it knows of none.
func (b *base) PublishedPorts(ctx context.Context) ([]sdk.PublishedPort, error) {
	if !b.report.Can(abi.Ports) {
		return nil, nil
	}
	result, err := invoke[abi.PortsResult](ctx, b, Invocation{Op: abi.Ports, Args: abi.None{}})
	for i := range result.Ports {
		oneLine(&result.Ports[i].Container, &result.Ports[i].Project, &result.Ports[i].HostIP)
		result.Ports[i].Protocol = sdk.Protocol(OneLine(string(result.Ports[i].Protocol)))
	}
	return result.Ports, err
}
