package lifecycle

import (
	"cmp"
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

// ground is what every container needs first.
type ground struct {
	ready          bool
	networkCreated bool
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

// layGround makes network and volumes; the containers wait for it, but neither
// pulls nor builds do (L2).
func (m *Manager) layGround() {
	ctx := m.start.ctx
	var networkCreated bool
	m.spawn(func() error {
		var err error
		networkCreated, err = ensureGround(ctx, m.runtime, m.plan)
		return whyEnded(ctx, err)
	}, func(err error) {
		// A creation that was cut off may have happened all the same.
		m.ground.networkCreated = networkCreated || err != nil && m.plan.Network != nil && m.plan.Network.Action == plan.Create
		if errors.Is(err, errStartEnded) {
			return
		}
		if err != nil {
			m.failStart(&Failure{Err: err})
			return
		}
		m.ground.ready = true
		m.startWhatCan()
	})
}

func ensureGround(ctx context.Context, runtime sdk.Runtime, p *plan.Plan) (networkCreated bool, err error) {
	networker, ok := runtime.(sdk.Networker)
	if ok && p.Network != nil && p.Network.Action != plan.Remove {
		networkCreated, err = networker.EnsureNetwork(ctx, p.Network.Network)
		if err != nil {
			return networkCreated, err
		}
	}
	volumer, ok := runtime.(sdk.Volumer)
	if !ok {
		return networkCreated, nil
	}
	for _, step := range p.Volumes {
		if step.Action != plan.Create {
			continue
		}
		if _, err := volumer.EnsureVolume(ctx, step.Volume); err != nil {
			return networkCreated, err
		}
	}
	return networkCreated, nil
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
	m.spawn(func() error {
		var err error
		state, err = m.waitReady(ctx, r.step, id)
		return whyEnded(ctx, err)
	}, func(err error) { m.waited(r, ctx, state, err, m.startEnded) })
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
			if err := stopAndRemove(ctx, m.runtime, replaced, grace); err != nil {
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
		return stopAndRemove(ctx, m.runtime, id, grace)
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
	return spec
}

// containerStarted notes that the container with that id runs.
func (m *Manager) containerStarted(r *resource, id string) {
	r.id = id
	r.gone = false
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
	case errors.Is(err, errStartEnded):
		m.cancelResource(r, m.whyCancelled(r, m.start.ended))
	default:
		m.failResource(r, err)
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
