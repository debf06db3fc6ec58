package mixed

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Every optional interface is there; a member that lacks it is one that has
// nothing to do, or refuses.

// lacks says that a member can't do what the spec needs.
func lacks(member Member, spec sdk.Spec, what string) error {
	return &sdk.Error{Code: sdk.CodeUnsupported, Resource: spec.Resource, Err: fmt.Errorf("the runtime %s can't honour `%s`", member.Name, what)}
}

// Validate implements sdk.Validator, also for what a member shows by not having
// an interface.
func (r *Runtime) Validate(ctx context.Context, spec sdk.Spec) error {
	member, err := r.of(spec)
	if err != nil {
		return err
	}
	if _, ok := member.Runtime.(sdk.Preparer); !ok && spec.Build != nil {
		return lacks(member, spec, "dockerfile")
	}
	if _, ok := member.Runtime.(sdk.Logger); !ok && spec.Healthcheck != nil && spec.Healthcheck.Log != nil {
		return lacks(member, spec, "healthcheck.log")
	}
	if err := r.reachable(member, spec); err != nil {
		return err
	}
	validator, ok := member.Runtime.(sdk.Validator)
	if !ok {
		return nil
	}
	return validator.Validate(ctx, spec)
}

// Prepared implements sdk.Preparer.
func (r *Runtime) Prepared(ctx context.Context, spec sdk.Spec) (bool, error) {
	member, err := r.of(spec)
	if err != nil {
		return false, err
	}
	preparer, ok := member.Runtime.(sdk.Preparer)
	if !ok {
		return true, nil
	}
	return preparer.Prepared(ctx, spec)
}

// Prepare implements sdk.Preparer.
func (r *Runtime) Prepare(ctx context.Context, spec sdk.Spec, report func(sdk.Progress)) error {
	member, err := r.of(spec)
	if err != nil {
		return err
	}
	preparer, ok := member.Runtime.(sdk.Preparer)
	if !ok {
		return nil
	}
	return preparer.Prepare(ctx, spec, report)
}

// Inspect implements sdk.Inspector.
func (r *Runtime) Inspect(ctx context.Context, id string) (sdk.State, error) {
	owner, err := r.owner(ctx, id)
	if err != nil {
		return sdk.State{}, err
	}
	state, err := owner.(sdk.Inspector).Inspect(ctx, id) //nolint:forcetypeassert // New has checked it
	state.Runtime = r.nameOf(owner)
	return state, err
}

// List implements sdk.Lister.
func (r *Runtime) List(ctx context.Context, project string) ([]sdk.State, error) {
	seen := make([][]sdk.State, len(r.members))
	if err := each(r, func(i int, lister sdk.Lister) error {
		var err error
		seen[i], err = lister.List(ctx, project)
		return err
	}); err != nil {
		return nil, err
	}
	var states []sdk.State
	for i, part := range seen {
		for _, state := range part {
			r.owners.Store(state.ID, r.members[i].Runtime)
			state.Runtime = r.members[i].Name
			states = append(states, state)
		}
	}
	return states, nil
}

// Remove implements sdk.Remover.
func (r *Runtime) Remove(ctx context.Context, id string) error {
	owner, err := r.owner(ctx, id)
	if err != nil {
		return unlessNotFound(err)
	}
	remover, ok := owner.(sdk.Remover)
	if !ok {
		return nil
	}
	if err := remover.Remove(ctx, id); err != nil {
		return err
	}
	r.owners.Delete(id)
	return nil
}

// cant is the error for a member without an ability.
func cant(op string) error {
	return sdk.Errorf(sdk.CodeUnsupported, op, "the runtime of this resource can't do that")
}

// Logs implements sdk.Logger.
func (r *Runtime) Logs(ctx context.Context, id string, options sdk.LogOptions, sink func(sdk.LogEntry) error) error {
	owner, err := r.owner(ctx, id)
	if err != nil {
		return err
	}
	logger, ok := owner.(sdk.Logger)
	if !ok {
		return cant("logs")
	}
	return logger.Logs(ctx, id, options, sink)
}

// Exec implements sdk.Execer.
func (r *Runtime) Exec(ctx context.Context, id string, options sdk.ExecOptions) (int, error) {
	owner, err := r.owner(ctx, id)
	if err != nil {
		return 0, err
	}
	execer, ok := owner.(sdk.Execer)
	if !ok {
		return 0, cant("exec")
	}
	return execer.Exec(ctx, id, options)
}

// SetRestart implements sdk.Restarter.
func (r *Runtime) SetRestart(ctx context.Context, id string, policy sdk.RestartPolicy) error {
	owner, err := r.owner(ctx, id)
	if err != nil {
		return err
	}
	restarter, ok := owner.(sdk.Restarter)
	if !ok {
		return cant("restart policy")
	}
	return restarter.SetRestart(ctx, id, policy)
}

// Env implements sdk.EnvReader.
func (r *Runtime) Env(ctx context.Context, id string) (map[string]string, error) {
	owner, err := r.owner(ctx, id)
	if err != nil {
		return nil, err
	}
	reader, ok := owner.(sdk.EnvReader)
	if !ok {
		return nil, cant("env")
	}
	return reader.Env(ctx, id)
}

// PublishedPorts implements sdk.PortFinder.
func (r *Runtime) PublishedPorts(ctx context.Context) ([]sdk.PublishedPort, error) {
	var mu sync.Mutex
	var ports []sdk.PublishedPort
	err := each(r, func(_ int, finder sdk.PortFinder) error {
		found, err := finder.PublishedPorts(ctx)
		mu.Lock()
		defer mu.Unlock()
		ports = append(ports, found...)
		return err
	})
	return ports, err
}

// EnsureNetwork implements sdk.Networker, on every member that has networks.
func (r *Runtime) EnsureNetwork(ctx context.Context, network sdk.Network) (created bool, err error) {
	return ensureOn(r, func(networker sdk.Networker) (bool, error) { return networker.EnsureNetwork(ctx, network) })
}

// RemoveNetwork implements sdk.Networker.
func (r *Runtime) RemoveNetwork(ctx context.Context, network sdk.Network) error {
	return each(r, func(_ int, networker sdk.Networker) error { return networker.RemoveNetwork(ctx, network) })
}

// EnsureVolume implements sdk.Volumer, on every member that has volumes: nobody
// knows before which of them will mount it.
func (r *Runtime) EnsureVolume(ctx context.Context, volume sdk.Volume) (created bool, err error) {
	return ensureOn(r, func(volumer sdk.Volumer) (bool, error) { return volumer.EnsureVolume(ctx, volume) })
}

func ensureOn[Able any](r *Runtime, do func(Able) (bool, error)) (created bool, err error) {
	var mu sync.Mutex
	err = each(r, func(_ int, able Able) error {
		made, err := do(able)
		mu.Lock()
		defer mu.Unlock()
		created = created || made
		return err
	})
	return created, err
}

// ListVolumes implements sdk.Volumer.
func (r *Runtime) ListVolumes(ctx context.Context, project string) ([]sdk.Volume, error) {
	var mu sync.Mutex
	var volumes []sdk.Volume
	err := each(r, func(_ int, volumer sdk.Volumer) error {
		found, err := volumer.ListVolumes(ctx, project)
		mu.Lock()
		defer mu.Unlock()
		volumes = append(volumes, found...)
		return err
	})
	return volumes, err
}

// RemoveVolume implements sdk.Volumer.
func (r *Runtime) RemoveVolume(ctx context.Context, volume sdk.Volume) error {
	return each(r, func(_ int, volumer sdk.Volumer) error { return volumer.RemoveVolume(ctx, volume) })
}

// RemoveOrphans implements sdk.OrphanRemover.
func (r *Runtime) RemoveOrphans(ctx context.Context, project string) error {
	return each(r, func(_ int, remover sdk.OrphanRemover) error { return remover.RemoveOrphans(ctx, project) })
}

// Watch implements sdk.Watcher. When one member is lost, all are: who subscribes
// again hears all of them.
func (r *Runtime) Watch(ctx context.Context, project string, since time.Time) (<-chan sdk.Event, error) {
	caller := ctx
	ctx, cancel := context.WithCancel(ctx)
	heard := make([]<-chan sdk.Event, len(r.members))
	err := each(r, func(i int, watcher sdk.Watcher) error {
		var err error
		heard[i], err = watcher.Watch(ctx, project, since)
		return err
	})
	if err != nil {
		cancel()
		for _, events := range heard {
			drain(events)
		}
		return nil, err
	}
	merged := make(chan sdk.Event)
	go func() {
		defer cancel()
		defer close(merged)
		if lost := r.merge(ctx, cancel, heard, merged); lost != nil {
			select {
			case merged <- *lost:
			case <-caller.Done():
			}
		}
	}()
	return merged, nil
}

// drain waits for the end of a subscription that was cancelled.
func drain(events <-chan sdk.Event) {
	if events == nil {
		return
	}
	for range events {
		continue // what comes now is for nobody
	}
}

// merge hands on what is heard until ctx ends or a member is lost, and returns
// the word of the first that was.
func (r *Runtime) merge(ctx context.Context, lose context.CancelFunc, heard []<-chan sdk.Event, into chan<- sdk.Event) *sdk.Event {
	lost := make(chan sdk.Event, len(heard))
	var all sync.WaitGroup
	for i, events := range heard {
		all.Go(func() {
			for event := range events {
				if event.Type == sdk.EventLost {
					lost <- event
					lose()
					continue
				}
				r.owners.Store(event.ID, r.members[i].Runtime)
				select {
				case into <- event:
				case <-ctx.Done():
				}
			}
		})
	}
	all.Wait()
	select {
	case event := <-lost:
		return &event
	default:
		return nil
	}
}
