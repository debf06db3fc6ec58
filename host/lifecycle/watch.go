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
	// returned says that what is handled now was found on the engine's return.
	returned bool
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
	begin := func() (<-chan sdk.Event, error) { return watcher.Watch(m.base, m.plan.Project, time.Time{}) }
	if begun := m.options.Subscription; begun != nil {
		begin = func() (<-chan sdk.Event, error) { return begun.wait(ctx) }
		context.AfterFunc(m.base, begun.cancel)
	}
	var events <-chan sdk.Event
	m.spawn(func() error {
		var err error
		events, err = begin()
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
		m.hearWaiting(events)
		m.listen(watcher, events)
		m.startWhatCan()
	})
}

// hearWaiting handles the events that a subscription has by now, before anything
// is adopted: what changed since it was seen is looked at again.
func (m *Manager) hearWaiting(events <-chan sdk.Event) {
	for {
		select {
		case event, open := <-events:
			if !open {
				return
			}
			m.runtimeEvent(event)
		default:
			return
		}
	}
}

// listen posts the engine's events to the owner until the manager is closed,
// subscribing again when the engine was lost.
func (m *Manager) listen(watcher sdk.Watcher, events <-chan sdk.Event) {
	m.spawnListener(func() {
		var lastEvent time.Time
		for events != nil {
			for event := range events {
				if event.Type != sdk.EventLost {
					lastEvent = event.Time
				}
				m.inbox.post(func() { m.runtimeEvent(event) })
			}
			if m.base.Err() == nil {
				m.inbox.post(func() { m.emit(Event{Type: EngineLost}) })
			}
			events = m.resubscribe(watcher, lastEvent)
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
func (m *Manager) resubscribe(watcher sdk.Watcher, lastEvent time.Time) <-chan sdk.Event {
	for pause := resubscribeFirst; ; pause = min(2*pause, resubscribeMost) {
		if m.base.Err() != nil {
			return nil
		}
		events, err := m.resubscribed(watcher, lastEvent)
		if err == nil {
			m.inbox.post(func() { m.emit(Event{Type: EngineFound}) })
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

// resubscribed subscribes again and looks at what has happened meanwhile. A
// subscription without that look would be a guess.
func (m *Manager) resubscribed(watcher sdk.Watcher, lastEvent time.Time) (<-chan sdk.Event, error) {
	ctx, cancel := context.WithCancel(m.base)
	events, err := watcher.Watch(ctx, m.plan.Project, lastEvent)
	if err != nil {
		cancel()
		return nil, err
	}
	if err := m.look(true); err != nil {
		cancel()
		for range events {
			// It is emptied until it is closed.
		}
		return nil, err
	}
	context.AfterFunc(m.base, cancel)
	return events, nil
}

// look lists the project's containers and hands the owner what it saw;
// afterReturn says that the engine was away before.
func (m *Manager) look(afterReturn bool) error {
	lister, ok := m.runtime.(sdk.Lister)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(m.base, lookTimeout)
	defer cancel()
	began := time.Now()
	seen, err := lister.List(ctx, m.plan.Project)
	if err != nil {
		return err
	}
	m.inbox.post(func() {
		m.watch.returned = afterReturn
		m.compare(seen, began)
		m.watch.returned = false
	})
	return nil
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
		if r.id == "" || r.gone || byID[r.id] == nil && r.startedAt.After(began) {
			continue
		}
		for _, kind := range missed(byID[r.id]) {
			event := sdk.Event{Type: kind, ID: r.id, Resource: r.step.Resource}
			if state := byID[r.id]; state != nil && state.ExitCode != nil {
				event.ExitCode = *state.ExitCode
			}
			m.runtimeEvent(event)
		}
	}
}

// missed are the events that would have brought a resource to what was seen of
// its container; state is nil when it is gone.
func missed(state *sdk.State) []sdk.EventType {
	switch {
	case state == nil:
		return []sdk.EventType{sdk.EventRemoved}
	case state.Ended() && state.OOMKilled:
		return []sdk.EventType{sdk.EventOOM, sdk.EventExited}
	case state.Ended():
		return []sdk.EventType{sdk.EventExited}
	case state.Status == sdk.StatusPaused:
		return []sdk.EventType{sdk.EventPaused}
	case state.Status != sdk.StatusRunning:
		return nil
	}
	// Each of these is heeded only in the state that it ends.
	events := []sdk.EventType{sdk.EventUnpaused, sdk.EventStarted}
	switch state.Health {
	case sdk.HealthHealthy:
		events = append(events, sdk.EventHealthy)
	case sdk.HealthUnhealthy:
		events = append(events, sdk.EventUnhealthy)
	case sdk.HealthNone, sdk.HealthStarting:
	}
	return events
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
	r.changed = r.changed || r.state == Pending
	switch event.Type {
	case sdk.EventOOM:
		r.oom = true
	case sdk.EventExited:
		m.containerExited(r, exit{code: event.ExitCode, oom: r.oom, away: m.watch.returned})
	case sdk.EventRemoved:
		m.containerRemoved(r)
	case sdk.EventHealthy:
		m.healthChanged(r, Unhealthy, Healthy)
	case sdk.EventUnhealthy:
		m.healthChanged(r, Healthy, Unhealthy)
	case sdk.EventPaused:
		m.pauseChanged(r, true)
	case sdk.EventUnpaused:
		m.pauseChanged(r, false)
	case sdk.EventStarted:
		m.maybeStartedOutside(r)
	case sdk.EventLost:
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
	if r.state == Stopping || r.state == Stopped {
		r.exitCode = &how.code
	}
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
	case Running, Healthy, Unhealthy, Paused:
	default:
		return
	}
	r.endLiveness()
	if m.phase == phaseStarting {
		// It was ready, but the stack needs it to stay (L5).
		m.failResource(r, exitedError(how, " while the stack was still starting"))
		return
	}
	again := m.restartByPolicy(r, how.code)
	err := exitErrorUnlessZero(how)
	if err != nil && !again {
		err = gaveUp(r, err)
	}
	m.transition(r, Exited, change{exitCode: &how.code, err: err})
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
	r.cancelRetry()
	if to == Unhealthy {
		m.restartByPolicy(r, unhealthyCode)
	}
	m.transition(r, to, change{ready: to == Healthy})
}

// unhealthyCode stands for the exit code of what runs, but not well.
const unhealthyCode = 1
