package lifecycle

import (
	"time"
)

// EventType names what happened.
type EventType string

// The types of events. Each change of a resource's state is exactly one.
const (
	StackStarting EventType = "stack_starting"
	StackStarted  EventType = "stack_started"
	StackFailed   EventType = "stack_failed"
	StackStopping EventType = "stack_stopping"
	StackStopped  EventType = "stack_stopped"

	ResourcePreparing EventType = "resource_preparing"
	ResourceStarting  EventType = "resource_starting"
	// ResourceStarted says that the container runs, not that it is ready.
	ResourceStarted EventType = "resource_started"
	// ResourceReady says that a resource without a healthcheck counts as ready:
	// it was seen running.
	ResourceReady     EventType = "resource_ready"
	ResourceHealthy   EventType = "resource_healthy"
	ResourceUnhealthy EventType = "resource_unhealthy"
	ResourceExited    EventType = "resource_exited"
	// ResourcePaused says that somebody froze the container's processes.
	ResourcePaused     EventType = "resource_paused"
	ResourceFailed     EventType = "resource_failed"
	ResourceRestarting EventType = "resource_restarting"
	ResourceStopping   EventType = "resource_stopping"
	ResourceStopped    EventType = "resource_stopped"
	ResourceCancelled  EventType = "resource_cancelled"

	// DependencyRestarted tells a resource that one which it depends on runs
	// anew; see Event.Dependency. Its own state stays.
	DependencyRestarted EventType = "resource_dependency_restarted"

	// EngineLost says that the engine can't be heard any more, EngineFound that
	// it can again, and that what happened meanwhile is known.
	EngineLost  EventType = "engine_lost"
	EngineFound EventType = "engine_found"

	// EventsMissed stands for events that a reader came too late for; see
	// Event.Missed.
	EventsMissed EventType = "events_missed"
)

// Event is something that happened to the stack or to one of its resources.
type Event struct {
	// Seq counts the events of one Manager from 1, without gaps.
	Seq      uint64    `json:"seq"`
	Time     time.Time `json:"time"`
	Type     EventType `json:"type"`
	Resource string    `json:"resource,omitempty"`
	ID       string    `json:"id,omitempty"`
	// Dependency is what was restarted, with DependencyRestarted.
	Dependency string `json:"dependency,omitempty"`
	// Ready says whether dependents may start after this event.
	Ready    bool   `json:"ready,omitempty"`
	ExitCode *int   `json:"exit_code,omitempty"`
	Error    string `json:"error,omitempty"`
	// NextStart is when the restart policy starts the resource again; nil when
	// it doesn't.
	NextStart *time.Time `json:"next_start,omitempty"`
	// Missed is the number of events that EventsMissed stands for; Seq is that
	// of the last of them.
	Missed uint64 `json:"missed,omitempty"`
}

// eventOf maps a resource's new state to the type of its event.
func eventOf(state State, ready bool) EventType {
	switch state {
	case Preparing:
		return ResourcePreparing
	case Starting:
		return ResourceStarting
	case Running:
		if ready {
			return ResourceReady
		}
		return ResourceStarted
	case Healthy:
		return ResourceHealthy
	case Unhealthy:
		return ResourceUnhealthy
	case Exited:
		return ResourceExited
	case Paused:
		return ResourcePaused
	case Restarting:
		return ResourceRestarting
	case Stopping:
		return ResourceStopping
	case Stopped:
		return ResourceStopped
	case Failed:
		return ResourceFailed
	case Cancelled:
		return ResourceCancelled
	}
	panic("no event for state " + string(state))
}
