package sdk

import "time"

// Status is what a container's process is doing.
type Status string

// The statuses of a container.
const (
	StatusCreated    Status = "created"
	StatusRunning    Status = "running"
	StatusPaused     Status = "paused"
	StatusRestarting Status = "restarting"
	StatusRemoving   Status = "removing"
	StatusExited     Status = "exited"
	StatusDead       Status = "dead"
)

// Health is what the engine's own healthcheck says of a container.
type Health string

// The healths of a container; HealthNone means that nothing checks it.
const (
	HealthNone      Health = "none"
	HealthStarting  Health = "starting"
	HealthHealthy   Health = "healthy"
	HealthUnhealthy Health = "unhealthy"
)

// State is what a runtime sees of one container at one moment.
type State struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Project  string `json:"project,omitempty"`
	Resource string `json:"resource,omitempty"`
	// Runtime names the runtime that has it, where there are several.
	Runtime string `json:"runtime,omitempty"`
	Image   string `json:"image"`
	// ImageID identifies the very image that the container was made from.
	ImageID string `json:"image_id,omitempty"`

	Status Status `json:"status"`
	Health Health `json:"health"`
	// Healthcheck is the check behind Health, as the image or the spec has it.
	Healthcheck *Healthcheck `json:"healthcheck,omitempty"`
	// HealthOutput is what the last check printed.
	HealthOutput string `json:"health_output,omitempty"`
	// ExitCode is nil until the container has ended.
	ExitCode  *int `json:"exit_code,omitempty"`
	OOMKilled bool `json:"oom_killed,omitempty"`
	// Error is the engine's own word on why the container didn't start.
	Error string `json:"error,omitempty"`

	CreatedAt  time.Time `json:"created_at,omitzero"`
	StartedAt  time.Time `json:"started_at,omitzero"`
	FinishedAt time.Time `json:"finished_at,omitzero"`
	Restarts   int       `json:"restarts,omitempty"`
	// Restart is what the engine itself does when the container ends.
	Restart RestartPolicy `json:"restart,omitzero"`

	Ports []PortBinding `json:"ports,omitempty"`
	// Addresses are the container's IP addresses that the host may reach.
	Addresses []string          `json:"addresses,omitempty"`
	Labels    map[string]string `json:"labels,omitempty"`
}

// Ended says whether the container's process has run and is over.
func (s State) Ended() bool { return s.Status == StatusExited || s.Status == StatusDead }
