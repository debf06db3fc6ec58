package lifecycle

import (
	"context"
	"errors"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/probe"
)

// watchLiveness goes on checking a resource that is ready, once an interval,
// where nobody else does: an engine makes no network checks, and some engines
// make none at all.
func (m *Manager) watchLiveness(r *resource, engineChecks bool) {
	r.endLiveness()
	if !r.checked() || r.step.Completes || m.options.Detached {
		return
	}
	check := r.step.Spec.Healthcheck
	if check.Log != nil || len(check.Test) > 0 && engineChecks {
		return
	}
	ctx, cancel := context.WithCancel(m.base)
	r.stopLiveness = cancel
	id := r.id
	m.spawnListener(func() {
		m.followLiveness(ctx, *check, id, func(event sdk.EventType) {
			m.inbox.post(func() { m.runtimeEvent(sdk.Event{Type: event, ID: id, Resource: r.step.Resource}) })
		})
	})
}

// followLiveness tells each change of a container's health until ctx ends.
func (m *Manager) followLiveness(ctx context.Context, check sdk.Healthcheck, id string, tell func(sdk.EventType)) {
	check = probe.WithDefaults(check)
	ticker := time.NewTicker(check.Interval.Std())
	defer ticker.Stop()
	failures := 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		alive := m.passesOnce(ctx, check, id)
		switch {
		case ctx.Err() != nil:
			return
		case alive && failures >= check.Retries:
			tell(sdk.EventHealthy)
			failures = 0
		case alive:
			failures = 0
		default:
			failures++
			if failures == check.Retries {
				tell(sdk.EventUnhealthy)
			}
		}
	}
}

// passesOnce says whether the check passes within its timeout.
func (m *Manager) passesOnce(ctx context.Context, check sdk.Healthcheck, id string) bool {
	ctx, cancel := context.WithTimeout(ctx, check.Timeout.Std())
	defer cancel()
	err := recovered(func() error {
		inspector, ok := m.runtime.(sdk.Inspector)
		if ok && len(check.Test) == 0 {
			return m.options.NetworkProbe(ctx, inspector, id, check)
		}
		// Once, and without a look at the container: its end is an event, and for
		// some engines each of them is a process.
		if execer, ok := m.runtime.(sdk.Execer); ok && len(check.Test) > 0 {
			result, err := probe.Exec(execer, id, check.Test)(ctx)
			if err == nil && !result.Passed {
				return errFailedOnce
			}
			if !sdk.IsCode(err, sdk.CodeUnsupported) {
				return err
			}
		}
		_, err := m.runtime.WaitHealthy(ctx, id, &check)
		return err
	})
	return err == nil
}

var errFailedOnce = errors.New("the check failed")

// endLiveness ends the program's own checks of r, if it makes any.
func (s *supervision) endLiveness() {
	if s.stopLiveness == nil {
		return
	}
	s.stopLiveness()
	s.stopLiveness = nil
}
