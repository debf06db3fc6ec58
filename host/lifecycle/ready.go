package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lightshuttle/lightshuttle/host/plan"
	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/probe"
)

// withStartTimeout is the context for the start of r: it ends when the time
// allowed is over (L5), and with r.cancel.
func (m *Manager) withStartTimeout(r *resource, parent context.Context) context.Context {
	ctx, cancel := context.WithCancelCause(parent)
	allowed := m.startTimeout(r)
	timer := time.AfterFunc(allowed, func() {
		m.inbox.post(func() { m.startTimeUp(r, ctx, allowed) })
	})
	r.startTimer = timer
	r.cancel = func(cause error) {
		timer.Stop()
		cancel(cause)
	}
	return ctx
}

// startTimeUp ends the start of r, whose time is over. Only if the manifest has
// no healthcheck, the image's own may still ask for more: it isn't known before.
func (m *Manager) startTimeUp(r *resource, ctx context.Context, allowed time.Duration) {
	if ctx.Err() != nil {
		return
	}
	inspector, ok := m.runtime.(sdk.Inspector)
	if !ok || r.id == "" || r.step.StartTimeout > 0 || r.step.Spec.Healthcheck != nil {
		r.cancel(startTimeoutError(allowed))
		return
	}
	id := r.id
	var state sdk.State
	m.spawn(func() error {
		var err error
		state, err = inspector.Inspect(ctx, id)
		return err
	}, func(err error) {
		if ctx.Err() != nil {
			return
		}
		most := allowed
		if err == nil && state.Healthcheck != nil {
			most = max(most, probe.Budget(*state.Healthcheck))
		}
		if most == allowed {
			r.cancel(startTimeoutError(allowed))
			return
		}
		cancel := r.cancel
		r.startTimer = time.AfterFunc(most-allowed, func() { cancel(startTimeoutError(most)) })
	})
}

func startTimeoutError(allowed time.Duration) error {
	err := sdk.Errorf(sdk.CodeTimeout, "", "not ready within %s", allowed)
	err.Hint = "allow more time with start_timeout, or see its output for what it waits for"
	return err
}

// startTimeout is the time from the start of r until it has to be ready.
func (m *Manager) startTimeout(r *resource) time.Duration {
	if r.step.StartTimeout > 0 {
		return r.step.StartTimeout
	}
	timeout := m.options.StartTimeout + r.step.StableFor
	if r.step.Spec.Healthcheck != nil {
		timeout = max(timeout, probe.Budget(*r.step.Spec.Healthcheck))
	}
	return timeout
}

// waited goes on when the wait for readiness has ended: with done, or with the
// wait for completion where r is meant to complete.
func (m *Manager) waited(r *resource, ctx context.Context, state sdk.State, err error, done func(*resource, error)) {
	if err == nil && (r.checked() || !r.step.Completes) {
		m.becameReady(r, state)
	}
	if err == nil && r.step.Completes {
		m.awaitCompletion(r, ctx, done)
		return
	}
	done(r, err)
}

// awaitCompletion waits for the end of a container that is meant to complete;
// done finds its exit code in r.exit. Its work may take as long as it takes,
// unless the manifest says otherwise.
func (m *Manager) awaitCompletion(r *resource, ctx context.Context, done func(*resource, error)) {
	if r.step.StartTimeout == 0 {
		r.startTimer.Stop()
	}
	exited := r.exited
	m.spawn(func() error {
		select {
		case <-exited:
			return nil
		case <-ctx.Done():
			return whyEnded(ctx, ctx.Err())
		}
	}, func(err error) { done(r, err) })
}

// checked says whether the manifest has a healthcheck for r.
func (r *resource) checked() bool {
	check := r.step.Spec.Healthcheck
	return check != nil && !check.Disable
}

// waitReady waits with the means that the healthcheck needs.
func (m *Manager) waitReady(ctx context.Context, step *plan.Step, id string) (sdk.State, error) {
	check := step.Spec.Healthcheck
	switch {
	case step.Completes && (check == nil || check.Disable):
		return sdk.State{}, nil // only its end counts
	case check != nil && (check.HTTP != nil || check.TCP != nil):
		return m.waitNetwork(ctx, id, *check)
	case check != nil && check.Log != nil:
		return m.waitLog(ctx, id, *check)
	}
	state, err := m.runtime.WaitHealthy(ctx, id, check)
	if err != nil || step.StableFor <= 0 || state.Health == sdk.HealthHealthy {
		return state, err
	}
	// Nothing but time can tell whether it stays up; its exit ends ctx.
	timer := time.NewTimer(stillUnstable(step, state))
	defer timer.Stop()
	select {
	case <-timer.C:
		return state, nil
	case <-ctx.Done():
		return state, ctx.Err()
	}
}

// stillUnstable is how long a container has to go on running to count as ready.
// Only one that was adopted has a part of that behind it: for a new one the
// engine's clock, which may be another machine's, isn't asked.
func stillUnstable(step *plan.Step, state sdk.State) time.Duration {
	if step.Action != plan.Keep || state.StartedAt.IsZero() {
		return step.StableFor
	}
	return step.StableFor - min(step.StableFor, max(0, time.Since(state.StartedAt)))
}

func (m *Manager) waitNetwork(ctx context.Context, id string, check sdk.Healthcheck) (sdk.State, error) {
	inspector, ok := m.runtime.(sdk.Inspector)
	if !ok || m.options.NetworkProbe == nil {
		return sdk.State{}, sdk.Errorf(sdk.CodeUnsupported, "healthcheck", "this runtime can't tell the container's address, which healthcheck.http and .tcp need")
	}
	if err := m.options.NetworkProbe(ctx, inspector, id, check); err != nil {
		return sdk.State{}, err
	}
	return inspector.Inspect(ctx, id)
}

func (m *Manager) waitLog(ctx context.Context, id string, check sdk.Healthcheck) (sdk.State, error) {
	logger, ok := m.runtime.(sdk.Logger)
	if !ok {
		return sdk.State{}, sdk.Errorf(sdk.CodeUnsupported, "healthcheck", "this runtime has no logs, which healthcheck.log needs")
	}
	if err := probe.Log(ctx, logger, id, *check.Log); err != nil {
		return sdk.State{}, err
	}
	inspector, ok := m.runtime.(sdk.Inspector)
	if !ok {
		return sdk.State{ID: id}, nil
	}
	return inspector.Inspect(ctx, id)
}

// whyEnded puts the reason why ctx ended in the place of an error that only says
// that it did. Any other error is a failure of its own, even after the end.
func whyEnded(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil {
		return err
	}
	code := sdk.CodeOf(err)
	cause := context.Cause(ctx)
	// An HTTP client puts the cause itself into its error, behind words about a
	// connection that say nothing to a user.
	if code != sdk.CodeCancelled && code != sdk.CodeTimeout && !errors.Is(err, cause) {
		return err
	}
	why, ok := errors.AsType[*sdk.Error](cause)
	switch {
	case errors.Is(cause, errStartEnded):
		return cause
	case ok && (why.Code == sdk.CodeTimeout || errors.Is(err, cause)):
		with := *why
		return withOutputOf(&with, err)
	}
	return err
}

// becameReady notes that r's check passed or, without one, that it was seen
// running.
func (m *Manager) becameReady(r *resource, state sdk.State) {
	if r.exit != nil {
		return // it ended meanwhile, and that decides (L5)
	}
	if len(state.Ports) > 0 {
		r.ports = state.Ports
	}
	healthy := r.checked() || state.Health == sdk.HealthHealthy
	ready := !r.step.Completes
	if healthy {
		m.transition(r, Healthy, change{ready: ready})
		m.watchLiveness(r, state.Health != sdk.HealthNone)
		m.reach(r, &r.reached.healthy, plan.Healthy)
	}
	if !healthy && ready {
		m.transition(r, Running, change{ready: true})
	}
	if ready {
		m.reach(r, &r.reached.ready, plan.Ready)
	}
	if !healthy {
		m.refuseHealthyCondition(r, "neither the manifest nor its image has a healthcheck")
	}
}

// refuseHealthyCondition fails the dependents that wait for r to be healthy,
// which it can't become any more.
func (m *Manager) refuseHealthyCondition(r *resource, why string) {
	if m.phase != phaseStarting {
		return
	}
	for _, edge := range r.dependents {
		if edge.condition != plan.Healthy || edge.to.outcome != undecided {
			continue
		}
		err := sdk.Errorf(sdk.CodeInvalid, "", "it waits for `%s` to be healthy, but %s", r.step.Resource, why)
		err.Hint = fmt.Sprintf("give `%s` a healthcheck that passes, or wait for another condition", r.step.Resource)
		m.failResource(edge.to, err)
	}
}
