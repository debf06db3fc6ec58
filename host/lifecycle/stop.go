package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lightshuttle/lightshuttle/host/plan"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// stopRun is a stop or a rollback that is under way.
type stopRun struct {
	// patient is the context in which grace periods are waited for; a kill
	// cancels it.
	patient   context.Context
	lose      context.CancelFunc
	forget    func() bool
	replies   []chan<- error
	rollback  bool
	remaining int
	failures  []Failure
	leftovers []string
	// ready are resources whose dependents have all stopped; a queue, so that a
	// long chain needs no deep recursion.
	ready    []*resource
	draining bool
}

type queuedStop struct {
	ctx   context.Context
	reply chan<- error
}

const (
	// stopMargin is what an engine gets on top of a grace period to say that
	// the container has ended.
	stopMargin = 10 * time.Second
	// removeTimeout bounds the removal of one container or network. After it,
	// one that doesn't answer is reported and no longer waited for (L10).
	removeTimeout = 20 * time.Second
)

func (m *Manager) requestStop(ctx context.Context, reply chan<- error) {
	switch m.phase {
	case phaseStarting:
		m.queuedStops = append(m.queuedStops, queuedStop{ctx, reply})
		m.interruptStart(sdk.Errorf(sdk.CodeCancelled, "start", "the stack is being stopped"))
	case phaseStopping:
		m.queuedStops = append(m.queuedStops, queuedStop{ctx, reply})
	case phaseStopped:
		reply <- nil
	case phaseIdle, phaseRunning, phaseFailed:
		m.beginStop(false, reply)
		m.stop.forget = context.AfterFunc(ctx, func() { m.inbox.post(m.kill) })
	}
}

// rollBack removes what the start created, and nothing else (L7).
func (m *Manager) rollBack() { m.beginStop(true, nil) }

// beginStop stops in reverse dependency order, as wide as the graph allows
// (L9). A resource without a container is passed at once, so that the order
// also holds across it.
func (m *Manager) beginStop(rollback bool, reply chan<- error) {
	m.phase = phaseStopping
	run := &stopRun{rollback: rollback, remaining: len(m.resources), forget: func() bool { return true }}
	if reply != nil {
		run.replies = append(run.replies, reply)
	}
	run.patient, run.lose = context.WithCancel(m.base)
	m.stop = run
	m.emit(Event{Type: StackStopping})
	if m.killRequested {
		run.lose()
	}
	for _, r := range m.resources {
		r.stopBegun, r.stopWanted, r.stopPassed = false, false, false
		r.stopAfter = len(r.dependents)
		if r.stopAfter == 0 {
			run.ready = append(run.ready, r)
		}
	}
	if len(m.resources) == 0 {
		m.sweep()
		return
	}
	m.stopReady()
}

// kill ends all patience: whatever waits for a grace period or for its turn is
// killed now.
func (m *Manager) kill() {
	m.killRequested = true
	if m.phase != phaseStopping {
		return
	}
	m.stop.lose()
	for _, r := range m.resources {
		if !r.stopBegun {
			m.stop.ready = append(m.stop.ready, r)
		}
	}
	m.stopReady()
}

func (m *Manager) stopReady() {
	run := m.stop
	if run.draining {
		return
	}
	run.draining = true
	for len(run.ready) > 0 {
		r := run.ready[len(run.ready)-1]
		run.ready = run.ready[:len(run.ready)-1]
		m.stopResource(r)
	}
	run.draining = false
}

func (m *Manager) stopResource(r *resource) {
	if r.stopBegun {
		return
	}
	if r.busy {
		// An operation on it goes on; it comes back here when that has ended.
		r.stopWanted = true
		r.cancel(errStopping)
		return
	}
	r.stopBegun = true
	r.cancelRetry()
	r.endLiveness()
	if r.id == "" || r.gone || m.stop.rollback && !r.created {
		m.resourceStopped(r)
		return
	}
	showsState := r.state != Failed && r.state != Cancelled
	if showsState {
		m.transition(r, Stopping, change{})
	}
	id, grace, ended, patient := r.id, m.grace(r), r.exit != nil, m.stop.patient
	stopped := func() { m.inbox.post(func() { m.letDependenciesStop(r) }) }
	m.spawn(func() error {
		if ended || patient.Err() != nil {
			return remove(context.WithoutCancel(patient), m.runtime, id)
		}
		return stopAndRemove(patient, m.runtime, id, grace, stopped)
	}, func(err error) {
		if err != nil {
			m.stopFailed(r, err)
		} else {
			r.gone = true
			if showsState && r.state == Stopping {
				m.transition(r, Stopped, change{})
			}
		}
		m.resourceStopped(r)
		m.stopReady()
	})
}

var errStopping = &sdk.Error{Code: sdk.CodeCancelled, Err: stoppingError{}}

func (m *Manager) stopFailed(r *resource, err error) {
	err = named(err, r.step.Resource)
	if r.state == Stopping || r.state == Stopped {
		m.transition(r, Failed, change{err: err})
	}
	m.stop.failures = append(m.stop.failures, Failure{Resource: r.step.Resource, Err: err})
	m.stop.leftovers = append(m.stop.leftovers, r.containerName())
}

func (r *resource) containerName() string {
	if r.step.Spec != nil {
		return r.step.Spec.Name
	}
	if r.step.Previous != nil {
		return r.step.Previous.Name
	}
	return r.id
}

// letDependenciesStop is called when r has ended, which may be before it is
// removed.
func (m *Manager) letDependenciesStop(r *resource) {
	if m.phase != phaseStopping || r.stopPassed {
		return
	}
	if r.state == Stopping {
		m.transition(r, Stopped, change{})
	}
	m.passStop(r)
	m.stopReady()
}

// resourceStopped lets the dependencies of r stop, and ends the stop with the
// last resource. A failure to stop doesn't hold up the others (L10).
func (m *Manager) resourceStopped(r *resource) {
	m.stop.remaining--
	m.passStop(r)
	if m.stop.remaining == 0 {
		m.sweep()
	}
}

// passStop makes those ready to stop for which r was the last to wait for.
func (m *Manager) passStop(r *resource) {
	if r.stopPassed {
		return
	}
	r.stopPassed = true
	for _, i := range m.graph.Dependencies(r.index) {
		dependency := m.resources[i]
		dependency.stopAfter -= r.edgesTo(dependency)
		if dependency.stopAfter == 0 {
			m.stop.ready = append(m.stop.ready, dependency)
		}
	}
}

// edgesTo counts how often r names the dependency.
func (r *resource) edgesTo(dependency *resource) int {
	edges := 0
	for _, d := range r.step.DependsOn {
		if d.Resource == dependency.step.Resource {
			edges++
		}
	}
	return edges
}

// stopAndRemove stops the container and removes it, also when stopping failed.
// When ctx ends, it is killed. Between the two, stopped is called, if it isn't
// nil.
func stopAndRemove(ctx context.Context, runtime sdk.Runtime, id string, grace time.Duration, stopped func()) error {
	stopCtx, cancel := context.WithTimeoutCause(ctx, grace+stopMargin, fmt.Errorf("it wasn't stopped within %s", grace+stopMargin))
	stopErr := recovered(func() error { return runtime.Stop(stopCtx, id, grace) })
	cancel()
	if stopErr == nil && stopped != nil {
		stopped()
	}
	removeErr := remove(context.WithoutCancel(ctx), runtime, id)
	if removeErr != nil {
		return errors.Join(removeErr, stopErr)
	}
	if _, removes := runtime.(sdk.Remover); !removes {
		return stopErr
	}
	return nil // it is gone, so it doesn't matter how its stop went
}

// remove removes the container, killing it if it still runs. Where a runtime
// can't remove, it only kills.
func remove(ctx context.Context, runtime sdk.Runtime, id string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, removeTimeout, fmt.Errorf("it wasn't removed within %s", removeTimeout))
	defer cancel()
	if remover, ok := runtime.(sdk.Remover); ok {
		return remover.Remove(ctx, id)
	}
	return runtime.Stop(ctx, id, 0)
}

// sweep removes what is left when all resources have stopped: containers whose
// start was cut off before their id was known, then the network.
func (m *Manager) sweep() {
	run := m.stop
	stuck := map[string]bool{}
	for _, failure := range run.failures {
		stuck[failure.Resource] = true
	}
	ours := func(state sdk.State) bool {
		if run.rollback {
			return state.Labels[sdk.LabelRun] == m.runID
		}
		_, ok := m.graph.Index(state.Resource)
		return ok && !stuck[state.Resource]
	}
	removeNetwork := m.plan.Network != nil && (!run.rollback || m.ground.networkCreated)
	list := !run.rollback || m.start.ambiguous
	var result swept
	m.spawn(func() error {
		result = m.sweepWith(context.WithoutCancel(run.patient), ours, list, removeNetwork)
		return nil
	}, func(err error) {
		if err != nil {
			result.failures = append(result.failures, Failure{Err: err})
		}
		run.failures = append(run.failures, result.failures...)
		run.leftovers = append(run.leftovers, result.leftovers...)
		m.finishStop()
	})
}

// swept is what a sweep could not remove.
type swept struct {
	failures  []Failure
	leftovers []string
}

func (s *swept) failed(resource, what string, err error) {
	s.failures = append(s.failures, Failure{Resource: resource, Err: err})
	s.leftovers = append(s.leftovers, what)
}

func (m *Manager) sweepWith(ctx context.Context, ours func(sdk.State) bool, list, removeNetwork bool) swept {
	ctx, cancel := context.WithTimeoutCause(ctx, removeTimeout, fmt.Errorf("the sweep didn't end within %s", removeTimeout))
	defer cancel()
	var result swept
	others := list && m.sweepContainers(ctx, ours, &result)
	m.removeVolumes(ctx, &result)
	if orphans, ok := m.runtime.(sdk.OrphanRemover); ok && list {
		if err := orphans.RemoveOrphans(ctx, m.plan.Project); err != nil {
			result.failed("", "anonymous volumes of project "+m.plan.Project, err)
		}
	}
	networker, ok := m.runtime.(sdk.Networker)
	if !ok || !removeNetwork {
		return result
	}
	if others {
		// Said only along with what keeps it.
		result.leftovers = append(result.leftovers, "network "+m.plan.Network.Network.Name)
		return result
	}
	if err := networker.RemoveNetwork(ctx, m.plan.Network.Network); err != nil {
		result.failed("", "network "+m.plan.Network.Network.Name, err)
	}
	return result
}

// sweepContainers removes the containers that are ours, and says whether the
// project has others, which may still need the network.
func (m *Manager) sweepContainers(ctx context.Context, ours func(sdk.State) bool, result *swept) (others bool) {
	lister, ok := m.runtime.(sdk.Lister)
	if !ok {
		return false
	}
	seen, err := lister.List(ctx, m.plan.Project)
	if err != nil {
		result.failed("", "containers of project "+m.plan.Project, err)
	}
	for _, state := range seen {
		if !ours(state) {
			others = true
			continue
		}
		if err := remove(ctx, m.runtime, state.ID); err != nil {
			result.failed(state.Resource, state.Name, named(err, state.Resource))
		}
	}
	return others
}

// removeVolumes removes the volumes that the plan says to remove.
func (m *Manager) removeVolumes(ctx context.Context, result *swept) {
	volumer, ok := m.runtime.(sdk.Volumer)
	if !ok {
		return
	}
	for _, step := range m.plan.Volumes {
		if step.Action != plan.Remove {
			continue
		}
		if err := volumer.RemoveVolume(ctx, step.Volume); err != nil {
			result.failed("", "volume "+step.Volume.Name, err)
		}
	}
}

func (m *Manager) finishStop() {
	run := m.stop
	run.lose()
	run.forget()
	m.killRequested = false
	m.phase = phaseStopped
	if run.rollback {
		m.phase = phaseFailed
	}
	m.emit(Event{Type: StackStopped})
	var err error
	if len(run.failures) > 0 {
		err = &StopError{Failures: run.failures, Remaining: run.leftovers}
	}
	for _, reply := range run.replies {
		reply <- err
	}
	if run.rollback {
		m.leaveStart(m.startError(err))
		return
	}
	queued := m.queuedStops
	m.queuedStops = nil
	for _, stop := range queued {
		stop.reply <- err
	}
}

// stateError refuses an operation that the stack's phase doesn't allow.
func (m *Manager) stateError(operation string) error {
	return &sdk.Error{Code: sdk.CodeConflict, Op: operation, Err: fmt.Errorf("the stack is %s", m.phase)}
}

// stoppingError is the cause of what a stop of the stack cuts short.
type stoppingError struct{}

func (stoppingError) Error() string { return "the stack is being stopped" }
func (stoppingError) Unwrap() error { return context.Canceled }
