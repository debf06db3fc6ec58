package lifecycle

import (
	"context"
	"errors"

	"github.com/lightshuttle/lightshuttle/host/plan"
	"github.com/lightshuttle/lightshuttle/sdk"
)

func (m *Manager) beginRestart(ctx context.Context, name string, reply chan<- error) {
	i, ok := m.graph.Index(name)
	if !ok {
		reply <- &sdk.Error{Code: sdk.CodeNotFound, Op: "restart", Resource: name, Err: errors.New("there is no such resource in the stack")}
		return
	}
	r := m.resources[i]
	if m.phase != phaseRunning {
		reply <- named(m.stateError("restart"), name)
		return
	}
	if r.busy {
		reply <- &sdk.Error{
			Code: sdk.CodeConflict, Op: "restart", Resource: name,
			Err:  errors.New("another operation on it is under way"),
			Hint: "wait until it has ended, then try again",
		}
		return
	}
	if r.step.Action == plan.Remove {
		reply <- &sdk.Error{Code: sdk.CodeNotFound, Op: "restart", Resource: name, Err: errors.New("it was removed from the manifest")}
		return
	}
	m.restart(ctx, r, reply)
}

func (m *Manager) restart(ctx context.Context, r *resource, reply chan<- error) {
	r.busy = true
	r.restarts++
	m.transition(r, Restarting, change{})
	opCtx := m.withStartTimeout(r, m.base)
	forget := context.AfterFunc(ctx, func() {
		cause := context.Cause(ctx)
		m.inbox.post(func() { r.cancel(cause) })
	})
	done := func(r *resource, err error) {
		forget()
		m.restartEnded(r, err)
		reply <- r.restartError(err)
		m.stopIfWanted(r)
	}
	old, grace, spec := r.id, m.grace(r), m.specFor(r)
	removed := false
	r.id, r.exit = "", nil
	begin := func() (string, error) {
		if old != "" {
			if err := stopAndRemove(opCtx, m.runtime, old, grace); err != nil {
				return "", err
			}
			removed = true
		}
		m.inbox.post(func() { m.transition(r, Starting, change{}) })
		return m.runtime.Start(opCtx, spec)
	}
	m.bringUp(r, opCtx, begin, func(error) {
		if !removed {
			r.id = old
		}
	}, done)
}

func (m *Manager) restartEnded(r *resource, err error) {
	r.busy = false
	r.cancel(nil)
	ended, didExit := exitOf(r, err)
	switch {
	case didExit && r.step.Completes && ended.code == 0:
		zero := 0
		m.transition(r, Exited, change{ready: true, exitCode: &zero})
	case didExit:
		m.transition(r, Failed, change{err: exitedError(ended, " before it was ready"), exitCode: &ended.code})
	case err != nil:
		m.transition(r, Failed, change{err: named(err, r.step.Resource)})
	}
}

// restartError is what the caller of Restart is told.
func (r *resource) restartError(err error) error {
	if r.state != Failed {
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
