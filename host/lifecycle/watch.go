package lifecycle

import (
	"context"
	"errors"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// watch is how the owner hears of what happens to containers.
type watch struct {
	// standing says that nothing that happens from now on will be missed.
	standing bool
}

const (
	resubscribeFirst = 100 * time.Millisecond
	resubscribeMost  = 5 * time.Second
	lookTimeout      = 30 * time.Second
)

// subscribe begins to watch before the first container is started (subscribe,
// then look, then wait). A runtime without events is looked at again and again,
// if it can list; else nothing is known of what happens after the start.
func (m *Manager) subscribe() {
	watcher, ok := m.runtime.(sdk.Watcher)
	if !ok {
		m.watch.standing = true
		m.spawnListener(m.poll)
		return
	}
	ctx := m.start.ctx
	var events <-chan sdk.Event
	m.spawn(func() error {
		var err error
		events, err = watcher.Watch(m.base, m.plan.Project)
		return whyEnded(ctx, err)
	}, func(err error) {
		if errors.Is(err, errStartEnded) {
			return
		}
		if err != nil {
			m.failStart(&Failure{Err: err})
			return
		}
		m.watch.standing = true
		m.listen(watcher, events)
		m.startWhatCan()
	})
}

// listen posts the engine's events to the owner until the manager is closed,
// subscribing again when the engine was lost.
func (m *Manager) listen(watcher sdk.Watcher, events <-chan sdk.Event) {
	m.spawnListener(func() {
		for events != nil {
			for event := range events {
				m.inbox.post(func() { m.runtimeEvent(event) })
			}
			events = m.resubscribe(watcher)
		}
	})
}

// spawnListener runs a goroutine that lasts as long as the manager; the loop
// waits for it at its end.
func (m *Manager) spawnListener(listen func()) {
	m.listeners.Add(1)
	go func() {
		defer m.listeners.Done()
		listen()
	}()
}

// resubscribe tries until it succeeds or the manager is closed, then has the
// owner compare what it knows with what is there: events were missed.
func (m *Manager) resubscribe(watcher sdk.Watcher) <-chan sdk.Event {
	for pause := resubscribeFirst; ; pause = min(2*pause, resubscribeMost) {
		if m.base.Err() != nil {
			return nil
		}
		events, err := watcher.Watch(m.base, m.plan.Project)
		if err == nil {
			m.look()
			return events
		}
		m.logger.Debug("the engine can't be heard yet", "error", err)
		select {
		case <-m.base.Done():
			return nil
		case <-time.After(pause):
		}
	}
}

// look lists the project's containers and hands the owner what it saw.
func (m *Manager) look() {
	lister, ok := m.runtime.(sdk.Lister)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(m.base, lookTimeout)
	defer cancel()
	began := time.Now()
	seen, err := lister.List(ctx, m.plan.Project)
	if err != nil {
		m.logger.Warn("could not look at the containers", "error", err)
		return
	}
	m.inbox.post(func() { m.compare(seen, began) })
}

// compare turns the difference between what is known and what was seen into
// the events that were missed.
//
// A container that was started after the look had begun may not be in it.
func (m *Manager) compare(seen []sdk.State, began time.Time) {
	byID := make(map[string]*sdk.State, len(seen))
	for i := range seen {
		byID[seen[i].ID] = &seen[i]
	}
	for _, r := range m.resources {
		if r.id == "" || r.gone || !r.startedAt.Before(began) {
			continue
		}
		state := byID[r.id]
		switch {
		case state == nil:
			m.runtimeEvent(sdk.Event{Type: sdk.EventRemoved, ID: r.id, Resource: r.step.Resource})
		case state.Ended() && state.ExitCode != nil:
			m.runtimeEvent(sdk.Event{Type: sdk.EventExited, ID: r.id, Resource: r.step.Resource, ExitCode: *state.ExitCode})
		case state.Health == sdk.HealthHealthy:
			m.runtimeEvent(sdk.Event{Type: sdk.EventHealthy, ID: r.id, Resource: r.step.Resource})
		case state.Health == sdk.HealthUnhealthy:
			m.runtimeEvent(sdk.Event{Type: sdk.EventUnhealthy, ID: r.id, Resource: r.step.Resource})
		}
	}
}

func (m *Manager) runtimeEvent(event sdk.Event) {
	if event.Type == sdk.EventLost {
		m.logger.Warn("lost the engine; trying to reach it again", "error", event.Err)
		return
	}
	i, ok := m.graph.Index(event.Resource)
	if !ok {
		return
	}
	r := m.resources[i]
	if event.ID != r.id {
		m.keepForLater(r, event)
		return
	}
	switch event.Type {
	case sdk.EventOOM:
		r.oom = true
	case sdk.EventExited:
		m.containerExited(r, exit{code: event.ExitCode, oom: r.oom})
	case sdk.EventRemoved:
		m.containerRemoved(r)
	case sdk.EventHealthy:
		m.healthChanged(r, Unhealthy, Healthy)
	case sdk.EventUnhealthy:
		m.healthChanged(r, Healthy, Unhealthy)
	case sdk.EventStarted, sdk.EventPaused, sdk.EventUnpaused, sdk.EventLost:
	}
}

// keepForLater remembers the end of a container that Start has not returned the
// id of yet.
func (m *Manager) keepForLater(r *resource, event sdk.Event) {
	if event.Type != sdk.EventExited || r.state != Starting {
		return
	}
	if r.earlyExits == nil {
		r.earlyExits = map[string]exit{}
	}
	r.earlyExits[event.ID] = exit{code: event.ExitCode}
}

// containerExited handles the end of r's container.
func (m *Manager) containerExited(r *resource, how exit) {
	if r.exit != nil || r.state == Stopping || r.state == Restarting {
		return
	}
	r.exit = &how
	r.oom = false
	if r.busy {
		// Its worker decides, with what its check said last.
		if r.exited != nil {
			close(r.exited)
		}
		if !r.step.Completes || r.checked() {
			r.cancel(exitedError(how, " before it was ready"))
		}
		return
	}
	switch r.state {
	case Running, Healthy, Unhealthy:
	default:
		return
	}
	if m.phase == phaseStarting {
		// It was ready, but the stack needs it to stay (L5).
		m.failResource(r, exitedError(how, " while the stack was still starting"))
		return
	}
	m.transition(r, Exited, change{exitCode: &how.code, err: exitErrorUnlessZero(how)})
	m.abortOn(r, how)
}

func exitErrorUnlessZero(how exit) error {
	if how.code == 0 {
		return nil
	}
	return exitedError(how, "")
}

// abortOn ends Run where the exit of any container is to end it.
func (m *Manager) abortOn(r *resource, how exit) {
	if !m.options.AbortOnExit {
		return
	}
	select {
	case m.aborted <- &ExitedError{Resource: r.step.Resource, ExitCode: how.code}:
	default: // an earlier exit ends it already
	}
}

// containerRemoved handles a container that somebody else removed.
func (m *Manager) containerRemoved(r *resource) {
	if r.state == Stopping || r.state == Restarting || r.gone {
		return
	}
	r.gone = true
	if r.exit == nil && r.exitCode == nil {
		m.containerExited(r, exit{code: removedExitCode})
	}
}

// removedExitCode stands for an exit that nobody saw: a container that is
// removed while it runs is killed.
const removedExitCode = 137

// healthChanged follows the engine's own healthcheck after the start.
func (m *Manager) healthChanged(r *resource, from, to State) {
	if r.state != from || r.busy {
		return
	}
	m.transition(r, to, change{ready: to == Healthy})
}
