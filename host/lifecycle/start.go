package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/lightshuttle/lightshuttle/host/plan"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// startRun is a start that is under way.
type startRun struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	// forget stops watching the caller's context.
	forget func() bool
	reply  chan<- error
	// undecided counts the resources without an outcome.
	undecided int
	// ended is why no more is started; nil while all is well.
	ended       error
	interrupted error
	failures    []*Failure
	// ambiguous says that a container may exist that no id is known of.
	ambiguous bool
}

// errStartEnded is the cause of contexts that the end of the start cancelled. It
// wraps the context's own error, as a runtime's error then does too.
var errStartEnded = fmt.Errorf("the start was ended: %w", context.Canceled)

func (m *Manager) beginStart(ctx context.Context, reply chan<- error) {
	if m.phase != phaseIdle {
		reply <- sdk.Errorf(sdk.CodeConflict, "start", "the stack is %s already", m.phase)
		return
	}
	m.phase = phaseStarting
	run := &startRun{reply: reply, undecided: len(m.resources)}
	run.ctx, run.cancel = context.WithCancelCause(m.base)
	run.forget = context.AfterFunc(ctx, func() {
		cause := context.Cause(ctx)
		m.inbox.post(func() { m.interruptStart(cause) })
	})
	m.start = run
	m.emit(Event{Type: StackStarting})
	m.subscribe()
	m.layGround()
	for _, r := range m.resources {
		m.prepare(r)
	}
}

// startWhatCan is called when something is there that all resources waited for.
func (m *Manager) startWhatCan() {
	for _, r := range m.resources {
		m.startIfItCan(r)
	}
}

// prepare pulls or builds the image of r as soon as there is a place for it,
// whatever r depends on (L2).
func (m *Manager) prepare(r *resource) {
	preparer, ok := m.runtime.(sdk.Preparer)
	if !ok || r.step.Prepare == "" {
		r.prepared = true
		return
	}
	ctx := m.start.ctx
	m.prepares.run(func() {
		m.transition(r, Preparing, change{})
		r.busy = true
		m.spawn(func() error {
			err := preparer.Prepare(ctx, *r.step.Spec, m.progressOf(r.step.Resource))
			return whyEnded(ctx, err)
		}, func(err error) {
			r.busy = false
			m.prepares.done()
			m.prepareEnded(r, err)
		})
	})
}

func (m *Manager) progressOf(name string) func(sdk.Progress) {
	if m.options.Progress == nil {
		return nil
	}
	return func(progress sdk.Progress) { m.options.Progress(name, progress) }
}

func (m *Manager) prepareEnded(r *resource, err error) {
	switch {
	case err != nil && !errors.Is(err, errStartEnded):
		m.failResource(r, err)
	case m.start.ended != nil:
		m.cancelResource(r, m.whyCancelled(r, m.start.ended))
	default:
		r.prepared = true
		m.startIfItCan(r)
	}
}

// startIfItCan starts r when nothing is left to wait for (L1, L2).
func (m *Manager) startIfItCan(r *resource) {
	if m.start.ended != nil || !m.ground.ready || !m.watch.standing ||
		!r.prepared || r.waiting > 0 || r.queued || r.busy || r.outcome != undecided {
		return
	}
	if r.step.Action == plan.Keep {
		m.adopt(r)
		return
	}
	r.queued = true
	m.starts.run(func() {
		r.queued = false
		if r.step.Action == plan.Remove {
			m.removeOrphan(r)
			return
		}
		m.startContainer(r)
	})
}

// adopt takes over a container that is as it is wanted.
func (m *Manager) adopt(r *resource) {
	if r.step.Completes && r.step.Previous.Ended() {
		m.reach(r, &r.reached.started, plan.Started)
		m.reach(r, &r.reached.healthy, plan.Healthy)
		m.completed(r)
		return
	}
	r.busy = true
	r.startedAt = r.step.Previous.StartedAt
	ctx := m.withStartTimeout(r, m.start.ctx)
	m.containerStarted(r, r.id)
	id := r.id
	var state sdk.State
	previous := r.step.Previous
	known := m.seesAll() && !r.changed && previous.Status == sdk.StatusRunning && previous.Health == sdk.HealthHealthy
	m.spawn(func() error {
		if err := m.handOver(ctx, r.step); err != nil {
			return whyEnded(ctx, err)
		}
		if known {
			state = *previous
			return nil
		}
		var err error
		state, err = m.waitReady(ctx, r.step, id)
		return whyEnded(ctx, err)
	}, func(err error) { m.waited(r, ctx, state, err, m.startEnded) })
}

// handOver sees to it that either the engine or this program restarts an
// adopted container, not both.
func (m *Manager) handOver(ctx context.Context, step *plan.Step) error {
	restarter, ok := m.runtime.(sdk.Restarter)
	var wanted sdk.RestartPolicy
	if m.options.Detached && step.Restart.Mode != sdk.RestartNo {
		wanted = step.Restart
	}
	if !ok || step.Previous.Restart == wanted {
		return nil
	}
	return restarter.SetRestart(ctx, step.Previous.ID, wanted)
}

// startContainer creates and starts the container of r, after it removed the
// one that it replaces.
func (m *Manager) startContainer(r *resource) {
	r.busy = true
	m.transition(r, Starting, change{})
	ctx := m.withStartTimeout(r, m.start.ctx)
	spec := m.specFor(r)
	grace := m.grace(r)
	// What it replaces isn't this resource's container any more: its end must
	// not be taken for that of the new one.
	replaced := r.id
	r.id, r.exit = "", nil
	begin := func() (string, error) {
		if replaced != "" {
			if err := stopAndRemove(ctx, m.runtime, replaced, grace, nil); err != nil {
				return "", err
			}
		}
		return m.runtime.Start(ctx, spec)
	}
	m.bringUp(r, ctx, begin, func(err error) {
		m.starts.done()
		m.start.ambiguous = m.start.ambiguous || err != nil
	}, m.startEnded)
}

// bringUp begins r's container in one worker and waits there until it is ready.
// began is called when the container runs or could not be started, done in the
// end.
func (m *Manager) bringUp(r *resource, ctx context.Context, begin func() (string, error), began func(error), done func(*resource, error)) {
	var id string
	var state sdk.State
	m.spawn(func() error {
		begun, err := begin()
		if err != nil {
			return whyEnded(ctx, err)
		}
		id = begun
		m.inbox.post(func() {
			began(nil)
			r.created = true
			r.startedAt = time.Now()
			m.containerStarted(r, begun)
		})
		state, err = m.waitReady(ctx, r.step, begun)
		return whyEnded(ctx, err)
	}, func(err error) {
		if id == "" {
			began(err)
			done(r, err)
			return
		}
		m.waited(r, ctx, state, err, done)
	})
}

func (m *Manager) removeOrphan(r *resource) {
	r.busy = true
	m.transition(r, Stopping, change{})
	ctx, id, grace := m.start.ctx, r.id, m.grace(r)
	m.spawn(func() error {
		return stopAndRemove(ctx, m.runtime, id, grace, nil)
	}, func(err error) {
		m.starts.done()
		r.busy = false
		if err != nil {
			m.failResource(r, err)
			return
		}
		r.gone = true
		m.transition(r, Stopped, change{})
		m.decide(r, outcomeReady)
	})
}

// specFor is the step's spec, marked as made by this run.
func (m *Manager) specFor(r *resource) sdk.Spec {
	spec := *r.step.Spec
	labels := make(map[string]string, len(spec.Labels)+1)
	maps.Copy(labels, spec.Labels)
	labels[sdk.LabelRun] = m.runID
	spec.Labels = labels
	if m.options.Detached {
		spec.Restart = r.step.Restart
	}
	return spec
}

// containerStarted notes that the container with that id runs.
func (m *Manager) containerStarted(r *resource, id string) {
	r.id = id
	r.gone = false
	r.frozen = false
	r.exit = nil
	r.exitCode = nil
	if r.step.Completes {
		r.exited = make(chan struct{})
	}
	m.transition(r, Running, change{})
	early, ended := r.earlyExits[id]
	r.earlyExits = nil
	m.reach(r, &r.reached.started, plan.Started)
	if ended {
		m.containerExited(r, early)
	}
}

// reach notes the first time that r comes to a condition, and starts the
// dependents that waited for nothing else.
func (m *Manager) reach(r *resource, mark *bool, condition plan.Condition) {
	if *mark {
		return
	}
	*mark = true
	for _, edge := range r.dependents {
		if edge.condition != condition {
			continue
		}
		edge.to.waiting--
		m.startIfItCan(edge.to)
	}
}

// toldExit is the runtime's word on a container that ended, without those of a
// check which the end cut short around it; nil if there is none.
func toldExit(err error) *sdk.Error {
	var told *sdk.Error
	for {
		e, ok := errors.AsType[*sdk.Error](err)
		if !ok || e.Code != sdk.CodeExited {
			return told
		}
		told, err = e, e.Err
	}
}

// howItEnded is the failure of a container that ended before it was ready.
func howItEnded(ended exit, err error) error {
	told := toldExit(err)
	if told == nil {
		return withOutputOf(exitedError(ended, " before it was ready"), err)
	}
	with := *told
	with.ExitCode = ended.code
	return withOutputOf(&with, err)
}

// finishStartIfDone replies once every resource has its outcome and, after a
// failure, every worker has ended.
func (m *Manager) finishStartIfDone() {
	if m.start.undecided > 0 {
		return
	}
	if m.start.ended == nil {
		if !m.ground.ready || !m.watch.standing {
			return
		}
		m.phase = phaseRunning
		m.emit(Event{Type: StackStarted})
		m.leaveStart(nil)
		return
	}
	if m.inFlight > 0 {
		return
	}
	if m.options.NoRollback {
		m.phase = phaseFailed
		m.leaveStart(m.startError(nil))
		return
	}
	m.rollBack()
}

func (m *Manager) startError(rollback error) error {
	err := &StartError{Interrupted: m.start.interrupted, Rollback: rollback, Kept: m.options.NoRollback}
	for _, failure := range m.start.failures {
		err.Failures = append(err.Failures, *failure)
	}
	return err
}

// leaveStart ends the start for its caller; stops that waited for it go on.
func (m *Manager) leaveStart(err error) {
	m.start.forget()
	m.start.reply <- err
	queued := m.queuedStops
	m.queuedStops = nil
	for _, stop := range queued {
		m.requestStop(stop.ctx, stop.reply)
	}
}
