package lifecycle

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/lightshuttle/lightshuttle/host/plan"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// How the restart policy paces itself. The figures are those of Docker's own
// policy, so that a stack behaves the same with and without this program.
const (
	backoffFirst = 100 * time.Millisecond
	backoffMost  = time.Minute
	// stableAfter is how long a container has to run for its next end to count
	// as the first in a row.
	stableAfter = 10 * time.Second
)

// supervision is what the owner knows of a resource's life after its start.
type supervision struct {
	// failures counts the restarts by policy in a row.
	failures int
	// retry starts it again at nextStart; nil when nothing is to be done.
	retry     *time.Timer
	nextStart time.Time
	// held says that the user stopped it, so that nothing but the user starts it.
	held bool
	// frozen says that somebody froze the container; beforePause is the state to
	// come back to.
	frozen           bool
	beforePause      State
	readyBeforePause bool
	// uncertain says that a start failed, and that it may have left a container
	// whose id nobody knows.
	uncertain bool
	// restartAfter says that a restart of it was asked for while it was busy.
	restartAfter bool
	// stopLiveness ends the program's own checks of a resource that is ready.
	stopLiveness func()
}

// cancelRetry forgets a restart that is due.
func (s *supervision) cancelRetry() {
	if s.retry != nil {
		s.retry.Stop()
	}
	s.retry, s.nextStart = nil, time.Time{}
}

// backoff is the time until the next restart, after so many in a row.
func backoff(failures int) time.Duration {
	if failures > 20 {
		return backoffMost
	}
	return min(backoffFirst<<failures, backoffMost)
}

// wantsRestart says whether the policy has something to say about an end with
// that exit code.
func wantsRestart(policy sdk.RestartPolicy, code int) bool {
	switch policy.Mode {
	case sdk.RestartAlways:
		return true
	case sdk.RestartOnFailure:
		return code != 0
	case sdk.RestartNo, "":
	}
	return false
}

// restartByPolicy sees to a resource that has ended or is unhealthy. It says
// whether it will be started again.
func (m *Manager) restartByPolicy(r *resource, code int) bool {
	policy := r.step.Restart
	if m.phase != phaseRunning || r.held || r.step.Action == plan.Remove || m.options.AbortOnExit || !wantsRestart(policy, code) {
		return false
	}
	if !r.startedAt.IsZero() && time.Since(r.startedAt) >= stableAfter {
		r.failures = 0
	}
	if policy.MaxRetries > 0 && r.failures >= policy.MaxRetries {
		return false
	}
	r.cancelRetry()
	pause := backoff(r.failures)
	r.failures++
	r.nextStart = time.Now().Add(pause)
	var due *time.Timer
	due = time.AfterFunc(pause, func() { m.inbox.post(func() { m.retryDue(r, due) }) })
	r.retry = due
	return true
}

// retryDue starts r again, unless something else was done about it meanwhile.
func (m *Manager) retryDue(r *resource, due *time.Timer) {
	if r.retry != due || m.phase != phaseRunning || r.busy {
		return
	}
	m.startAgain(r, Restarting, func(error) {})
}

// gaveUp is the failure of a resource whose restarts are used up; how is how it
// ended last.
func gaveUp(r *resource, how error) error {
	if r.step.Restart.MaxRetries == 0 || r.failures < r.step.Restart.MaxRetries {
		return how
	}
	return fmt.Errorf("%s; it was restarted %d times in a row", reason(how), r.failures)
}

// tellDependents tells those that depend on r, and go on running, that it runs
// anew.
func (m *Manager) tellDependents(r *resource) {
	told := map[*resource]bool{}
	for _, edge := range r.dependents {
		if told[edge.to] || edge.to.id == "" || slices.Contains(edge.to.step.RestartWith, r.step.Resource) {
			continue
		}
		told[edge.to] = true
		m.emit(Event{Type: DependencyRestarted, Resource: edge.to.step.Resource, ID: edge.to.id, Dependency: r.step.Resource})
	}
}

// cascade restarts what is to be restarted with r, and tells the others that
// depend on it.
func (m *Manager) cascade(r *resource) {
	name := r.step.Resource
	m.tellDependents(r)
	for _, other := range m.resources {
		if slices.Contains(other.step.RestartWith, name) {
			m.restartWith(other)
		}
	}
}

func (m *Manager) restartWith(r *resource) {
	if r.held || r.step.Action == plan.Remove || m.phase != phaseRunning {
		return
	}
	if r.busy {
		r.restartAfter = true
		return
	}
	m.startAgain(r, Restarting, func(error) {})
}

// pauseChanged notes that somebody froze the container, or thawed it.
func (m *Manager) pauseChanged(r *resource, frozen bool) {
	r.frozen = frozen
	m.settlePause(r)
}

// settlePause shows whether the container is frozen, unless an operation goes on
// whose end will do so.
func (m *Manager) settlePause(r *resource) {
	switch {
	case r.busy:
	case r.frozen && (r.state == Running || r.state == Healthy || r.state == Unhealthy):
		r.beforePause, r.readyBeforePause = r.state, r.ready
		m.transition(r, Paused, change{})
	case !r.frozen && r.state == Paused:
		m.transition(r, r.beforePause, change{ready: r.readyBeforePause})
	}
}

// maybeStartedOutside looks whether a container that has ended runs again. An
// event alone doesn't say so: that of its first start may come late.
func (m *Manager) maybeStartedOutside(r *resource) {
	inspector, ok := m.runtime.(sdk.Inspector)
	if !ok || !m.mayBeTakenOver(r) {
		return
	}
	id := r.id
	var state sdk.State
	m.spawn(func() error {
		ctx, cancel := context.WithTimeout(m.base, lookTimeout)
		defer cancel()
		var err error
		state, err = inspector.Inspect(ctx, id)
		return err
	}, func(err error) {
		if err == nil && state.Status == sdk.StatusRunning && r.id == id && m.mayBeTakenOver(r) {
			m.startedOutside(r, state)
		}
	})
}

func (m *Manager) mayBeTakenOver(r *resource) bool {
	if m.phase != phaseRunning || r.busy || r.gone || r.id == "" {
		return false
	}
	return r.state == Exited || r.state == Failed || r.state == Stopped
}

// startedOutside takes over a container that somebody else started again: a
// user, or an engine that came back.
func (m *Manager) startedOutside(r *resource, seen sdk.State) {
	r.cancelRetry()
	r.held = false
	r.restarts++
	r.busy = true
	r.startedAt = seen.StartedAt
	ctx := m.withStartTimeout(r, m.base)
	m.containerStarted(r, r.id)
	id := r.id
	var state sdk.State
	m.spawn(func() error {
		var err error
		state, err = m.waitReady(ctx, r.step, id)
		return whyEnded(ctx, err)
	}, func(err error) {
		m.waited(r, ctx, state, err, func(r *resource, err error) { m.operationEnded(r, err, func(error) {}) })
	})
}
