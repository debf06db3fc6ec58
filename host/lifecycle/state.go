package lifecycle

import (
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// State is how far a resource has come.
type State string

// The states of a resource. Running and Healthy are different: only a
// healthcheck that passed makes a resource healthy.
const (
	Pending    State = "pending"
	Preparing  State = "preparing"
	Starting   State = "starting"
	Running    State = "running"
	Healthy    State = "healthy"
	Unhealthy  State = "unhealthy"
	Exited     State = "exited"
	Paused     State = "paused"
	Restarting State = "restarting"
	Stopping   State = "stopping"
	Stopped    State = "stopped"
	Failed     State = "failed"
	Cancelled  State = "cancelled"
)

// Resource is what is known of a resource at one moment. It never changes.
type Resource struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
	// Runtime names the runtime that runs it; empty means the one in use.
	Runtime string `json:"runtime,omitempty"`
	Image   string `json:"image"`
	State   State  `json:"state"`
	// Ready says that dependents may start: healthy, or running without a
	// healthcheck, or completed.
	Ready bool `json:"ready"`
	// ID is the container's id, while there is a container.
	ID string `json:"id,omitempty"`
	// Container is the container's name.
	Container string `json:"container,omitempty"`
	// WaitingFor names the dependencies that have not come far enough yet.
	WaitingFor []string          `json:"waiting_for,omitempty"`
	Ports      []sdk.PortBinding `json:"ports,omitempty"`
	// Since is the time of the last change of State.
	Since time.Time `json:"since"`
	// StartedAt is when the container was started; zero before.
	StartedAt time.Time `json:"started_at,omitzero"`
	// ExitCode is nil until the container has ended.
	ExitCode *int `json:"exit_code,omitempty"`
	// Restarts counts how often it was started again, for whatever reason.
	Restarts int `json:"restarts,omitempty"`
	// NextStart is when the restart policy starts it again; zero when it doesn't.
	NextStart time.Time `json:"next_start,omitzero"`
	// LastError says what went wrong last, also after the resource has stopped.
	LastError string `json:"last_error,omitempty"`
}
