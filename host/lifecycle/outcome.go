package lifecycle

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/lightshuttle/lightshuttle/host/plan"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// startEnded decides the start of r: here the end of its work becomes its one
// outcome (L4).
func (m *Manager) startEnded(r *resource, err error) {
	r.busy = false
	r.cancel(nil)
	ended, didExit := exitOf(r, err)
	switch {
	case didExit && r.step.Completes && ended.code == 0:
		m.completed(r)
	case didExit:
		m.failResource(r, howItEnded(ended, err))
	case err == nil:
		m.decide(r, outcomeReady)
		if r.step.Action == plan.Recreate {
			m.tellKept(r)
		}
		m.settlePause(r)
	case errors.Is(err, errStartEnded):
		m.cancelResource(r, m.whyCancelled(r, m.start.ended))
	default:
		m.failResource(r, err)
	}
}

// tellKept tells the dependents that this run leaves as they are (L19).
func (m *Manager) tellKept(r *resource) {
	for _, edge := range r.dependents {
		if edge.to.step.Action == plan.Keep {
			m.emit(Event{Type: DependencyRestarted, Resource: edge.to.step.Resource, ID: edge.to.id, Dependency: r.step.Resource})
		}
	}
}

// exitOf finds out whether the container has ended, from the engine's event or
// from what the runtime said.
func exitOf(r *resource, err error) (exit, bool) {
	if r.exit != nil {
		return *r.exit, true
	}
	if told := toldExit(err); told != nil {
		return exit{code: told.ExitCode}, true
	}
	return exit{}, false
}

// completed ends the start of a resource that has exited 0, as it was meant to.
func (m *Manager) completed(r *resource) {
	zero := 0
	m.transition(r, Exited, change{ready: true, exitCode: &zero})
	m.decide(r, outcomeReady)
	m.reach(r, &r.reached.completed, plan.Completed)
	m.reach(r, &r.reached.ready, plan.Ready)
	if !r.reached.healthy {
		m.refuseHealthyCondition(r, "it completed before its healthcheck passed")
	}
}

func (m *Manager) decide(r *resource, how outcome) {
	if r.outcome != undecided {
		return
	}
	r.outcome = how
	m.start.undecided--
}

// failResource is the failure of one resource, and with it that of the start.
func (m *Manager) failResource(r *resource, err error) {
	err = named(err, r.step.Resource)
	failure := &Failure{Resource: r.step.Resource, Err: err}
	if e, ok := errors.AsType[*sdk.Error](err); ok && e.Code == sdk.CodeExited {
		failure.ExitCode = &e.ExitCode
	}
	m.transition(r, Failed, change{err: err, exitCode: failure.ExitCode})
	m.decide(r, outcomeFailed)
	m.keepLogs(r, failure)
	m.failStart(failure)
}

// named puts the resource's name into a typed error, for whoever shows it.
func named(err error, resource string) error {
	e, ok := err.(*sdk.Error) //nolint:errorlint // a wrapped one keeps its wrapping
	if !ok {
		return &sdk.Error{Code: sdk.CodeOf(err), Resource: resource, Err: err}
	}
	with := *e
	with.Resource = resource
	return &with
}

// withOutputOf keeps what the last check printed, and any advice.
func withOutputOf(err *sdk.Error, from error) error {
	if e, ok := errors.AsType[*sdk.Error](from); ok {
		err.Output = e.Output
		err.Hint = cmp.Or(err.Hint, e.Hint)
	}
	return err
}

// failStart records a failure. The first cancels all that is in flight (L6).
func (m *Manager) failStart(failure *Failure) {
	m.start.failures = append(m.start.failures, failure)
	m.endStart(failure.Err, failure.Resource)
}

// interruptStart ends the start from outside.
func (m *Manager) interruptStart(cause error) {
	if m.phase != phaseStarting || m.start.ended != nil {
		return
	}
	m.start.interrupted = cause
	m.endStart(cause, "")
}

// endStart cancels what is in flight and decides what was never begun.
func (m *Manager) endStart(cause error, culprit string) {
	if m.start.ended != nil {
		return
	}
	m.start.ended = cause
	m.emit(Event{Type: StackFailed, Resource: culprit, Error: reason(cause)})
	m.start.cancel(errStartEnded)
	m.prepares.clear()
	m.starts.clear()
	for _, i := range m.graph.Order() {
		r := m.resources[i]
		if !r.busy {
			m.cancelResource(r, m.whyCancelled(r, cause))
		}
	}
}

// whyCancelled names the dependency whose failure kept r from starting.
func (m *Manager) whyCancelled(r *resource, cause error) error {
	for _, i := range m.graph.Dependencies(r.index) {
		dependency := m.resources[i]
		if dependency.outcome == outcomeFailed {
			return &DependencyError{dependency.step.Resource, dependency.lastErr}
		}
		if _, ok := errors.AsType[*DependencyError](dependency.lastErr); ok {
			return &DependencyError{dependency.step.Resource, dependency.lastErr}
		}
	}
	return fmt.Errorf("cancelled: %w", cause)
}

func (m *Manager) cancelResource(r *resource, cause error) {
	if r.outcome != undecided {
		return
	}
	m.transition(r, Cancelled, change{err: cause})
	m.decide(r, outcomeCancelled)
}
