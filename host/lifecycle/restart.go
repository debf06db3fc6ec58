package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lightshuttle/lightshuttle/host/plan"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// beginRestart answers Restart.
func (m *Manager) beginRestart(ctx context.Context, name string, reply chan<- error) {
	r, err := m.operable("restart", name)
	if err != nil {
		reply <- err
		return
	}
	r.held = false
	r.failures = 0
	m.startAgain(r, Restarting, answer(ctx, reply))
}

// beginStartResource answers one step of StartResource.
func (m *Manager) beginStartResource(ctx context.Context, name string, reply chan<- error) {
	r, err := m.operable("start", name)
	if err != nil {
		reply <- err
		return
	}
	if r.upAndWell() {
		reply <- nil
		return
	}
	r.held = false
	r.failures = 0
	m.startAgain(r, Starting, answer(ctx, reply))
}

// upAndWell says whether there is nothing to start: it runs, or has completed.
func (r *resource) upAndWell() bool {
	switch r.state {
	case Running, Healthy, Unhealthy, Paused:
		return true
	case Exited:
		return r.ready
	case Pending, Preparing, Starting, Restarting, Stopping, Stopped, Failed, Cancelled:
	}
	return false
}

// beginStopResource answers StopResource. The container is left, for its logs.
func (m *Manager) beginStopResource(ctx context.Context, name string, reply chan<- error) {
	r, err := m.operable("stop", name)
	if err != nil {
		reply <- err
		return
	}
	r.cancelRetry()
	r.endLiveness()
	r.held = true
	if r.id == "" || r.gone || r.exit != nil {
		m.transition(r, Stopping, change{})
		m.transition(r, Stopped, change{})
		reply <- nil
		return
	}
	r.busy = true
	m.transition(r, Stopping, change{})
	stopCtx, cancel := context.WithCancelCause(m.base)
	r.cancel = cancel
	id, grace, done := r.id, m.grace(r), answer(ctx, reply)
	m.spawn(func() error {
		ctx, cancel := context.WithTimeoutCause(stopCtx, grace+stopMargin, fmt.Errorf("it wasn't stopped within %s", grace+stopMargin))
		defer cancel()
		return whyEnded(stopCtx, m.runtime.Stop(ctx, id, grace))
	}, func(err error) {
		r.busy = false
		r.cancel(nil)
		if err != nil {
			err = named(err, r.step.Resource)
			m.transition(r, Failed, change{err: err})
		} else {
			m.transition(r, Stopped, change{})
		}
		done(err)
		m.stopIfWanted(r)
	})
}

// answer replies once, if anybody still waits: who went away doesn't end the
// operation, which would leave the resource half-way.
func answer(ctx context.Context, reply chan<- error) func(error) {
	forget := context.AfterFunc(ctx, func() { reply <- context.Cause(ctx) })
	return func(err error) {
		if forget() {
			reply <- err
		}
	}
}

// operable finds a resource that an operation may begin on (L14).
func (m *Manager) operable(operation, name string) (*resource, error) {
	i, ok := m.graph.Index(name)
	if !ok {
		return nil, &sdk.Error{Code: sdk.CodeNotFound, Op: operation, Resource: name, Err: errors.New("there is no such resource in the stack")}
	}
	r := m.resources[i]
	switch {
	case m.phase != phaseRunning:
		return nil, named(m.stateError(operation), name)
	case r.busy:
		return nil, &sdk.Error{
			Code: sdk.CodeConflict, Op: operation, Resource: name,
			Err:  errors.New("another operation on it is under way"),
			Hint: "wait until it has ended, then try again",
		}
	case r.step.Action == plan.Remove:
		return nil, &sdk.Error{Code: sdk.CodeNotFound, Op: operation, Resource: name, Err: errors.New("it was removed from the manifest")}
	}
	return r, nil
}

// startAgain removes what there is of r's container and starts it anew; as is
// the state that says so meanwhile.
func (m *Manager) startAgain(r *resource, as State, done func(error)) {
	r.cancelRetry()
	r.endLiveness()
	r.restartAfter = false
	r.busy = true
	r.restarts++
	m.transition(r, as, change{})
	opCtx := m.withStartTimeout(r, m.base)
	old, grace, spec := r.id, m.grace(r), m.specFor(r)
	removed, uncertain := false, r.uncertain
	r.id, r.exit = "", nil
	// It counts as stable only by what it does from now on.
	r.startedAt = time.Time{}
	begin := func() (string, error) {
		if old != "" {
			if err := stopAndRemove(opCtx, m.runtime, old, grace, nil); err != nil {
				return "", err
			}
			removed = true
		}
		if uncertain {
			if err := m.removeRemnants(opCtx, r.step.Resource); err != nil {
				return "", err
			}
		}
		if as != Starting {
			m.inbox.post(func() { m.transition(r, Starting, change{}) })
		}
		if err := m.ensureNetworkAgain(opCtx); err != nil {
			return "", err
		}
		return m.runtime.Start(opCtx, spec)
	}
	m.bringUp(r, opCtx, begin, func(err error) {
		if !removed {
			r.id = old
		}
		r.uncertain = err != nil
	}, func(r *resource, err error) { m.operationEnded(r, err, done) })
}

// removeRemnants removes what an earlier start of this run has made of the
// resource without anybody hearing of it: the engine went away in the middle of
// it, say.
func (m *Manager) removeRemnants(ctx context.Context, name string) error {
	lister, ok := m.runtime.(sdk.Lister)
	if !ok {
		return nil
	}
	seen, err := lister.List(ctx, m.plan.Project)
	if err != nil {
		return err
	}
	for _, state := range seen {
		if state.Resource != name || state.Labels[sdk.LabelRun] != m.runID {
			continue
		}
		if err := remove(ctx, m.runtime, state.ID); err != nil {
			return err
		}
	}
	return nil
}

// ensureNetworkAgain makes the network anew if it was lost: somebody took it
// away once nothing ran on it, or the engine came back without it.
func (m *Manager) ensureNetworkAgain(ctx context.Context) error {
	networker, ok := m.runtime.(sdk.Networker)
	if !ok || m.plan.Network == nil {
		return nil
	}
	created, err := networker.EnsureNetwork(ctx, m.plan.Network.Network)
	if created {
		m.logger.Warn("the network was gone, and was made again", "network", m.plan.Network.Network.Name)
	}
	return err
}

// operationEnded is the end of a start outside of that of the stack.
func (m *Manager) operationEnded(r *resource, err error, done func(error)) {
	r.busy = false
	r.cancel(nil)
	ended, didExit := exitOf(r, err)
	switch {
	case didExit && r.step.Completes && ended.code == 0:
		zero := 0
		m.transition(r, Exited, change{ready: true, exitCode: &zero})
	case didExit:
		failure := howItEnded(ended, err)
		m.restartByPolicy(r, ended.code)
		m.transition(r, Failed, change{err: failure, exitCode: &ended.code})
	case err != nil && r.stopWanted:
		m.transition(r, Cancelled, change{err: errStopping})
	case err != nil:
		m.restartByPolicy(r, startFailedCode)
		m.transition(r, Failed, change{err: named(err, r.step.Resource)})
	}
	m.settlePause(r)
	done(r.operationError(err))
	if r.state != Failed && r.state != Cancelled {
		m.cascade(r)
	}
	if r.restartAfter && !r.busy {
		m.restartWith(r)
	}
	m.stopIfWanted(r)
}

// startFailedCode stands for the exit code of what could not be started at all.
const startFailedCode = 125

// operationError is what the caller of an operation is told.
func (r *resource) operationError(err error) error {
	if r.state != Failed && r.state != Cancelled {
		return nil
	}
	if err != nil {
		return named(err, r.step.Resource)
	}
	return named(r.lastErr, r.step.Resource)
}

// stopIfWanted goes on with a stop that had to wait for the end of an operation.
func (m *Manager) stopIfWanted(r *resource) {
	if !r.stopWanted {
		return
	}
	m.stopResource(r)
	m.stopReady()
}

// startOrder are the resources to start for the sake of one, itself last:
// those that it depends on and that don't run.
func (m *Manager) startOrder(name string) ([]string, error) {
	closure, err := m.graph.Closure(name)
	if err != nil {
		return nil, &sdk.Error{Code: sdk.CodeNotFound, Op: "start", Resource: name, Err: fmt.Errorf("there is no such resource in the stack")}
	}
	var names []string
	for _, i := range m.graph.Order() {
		if closure[i] && (m.resources[i].step.Resource == name || !m.resources[i].upAndWell()) {
			names = append(names, m.resources[i].step.Resource)
		}
	}
	return names, nil
}
