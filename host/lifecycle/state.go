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
	Restarting State = "restarting"
	Stopping   State = "stopping"
	Stopped    State = "stopped"
	Failed     State = "failed"
	Cancelled  State = "cancelled"
)

// Resource is what is known of a resource at one moment. It never changes.
type Resource struct {
	Name  string
	Kind  string
	Image string
	State State
	// Ready says that dependents may start: healthy, or running without a
	// healthcheck, or completed.
	Ready bool
	// ID is the container's id, once there is a container.
	ID string
	// WaitingFor names the dependencies that have not come far enough yet.
	WaitingFor []string
	Ports      []sdk.PortBinding
	// Since is the time of the last change of State.
	Since time.Time
	// StartedAt is when the container was started; zero before.
	StartedAt time.Time
	// ExitCode is nil until the container has ended.
	ExitCode *int
	Restarts int
	// LastError says what went wrong last, also after the resource has stopped.
	LastError string
}
