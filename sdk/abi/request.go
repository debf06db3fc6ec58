package abi

import (
	"encoding/json"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Request is the document that an operation reads with input_read.
type Request[Args any] struct {
	Ctx  Context `json:"ctx"`
	Args Args    `json:"args"`
}

// Context is what every operation is told.
type Context struct {
	Op Operation `json:"op"`
	// Project is the project that the runtime was opened for; may be empty.
	Project string `json:"project,omitempty"`
	// Config is the user's configuration of the plugin, a JSON object. It comes
	// with each operation because each runs in an instance of its own.
	Config json.RawMessage `json:"config,omitempty"`
	// Timeout is the time that is left; 0 means no limit.
	Timeout sdk.Duration `json:"timeout_ms,omitempty"`
}

// None is an empty object: the arguments of Ping and Ports, and the result of
// what returns nothing.
type None struct{}

// SpecArgs are the arguments of Start, Validate, Prepared and Prepare.
type SpecArgs struct {
	Spec sdk.Spec `json:"spec"`
}

// IDArgs are the arguments of Inspect, Remove and Env.
type IDArgs struct {
	ID string `json:"id"`
}

// ProjectArgs are the arguments of List and VolumeList.
type ProjectArgs struct {
	Project string `json:"project"`
}

// StartResult is the result of Start.
type StartResult struct {
	ID string `json:"id"`
}

// StopArgs are the arguments of Stop.
type StopArgs struct {
	ID    string       `json:"id"`
	Grace sdk.Duration `json:"grace_ms"`
}

// WaitHealthyArgs are the arguments of WaitHealthy. Healthcheck is absent when
// the image's own counts.
type WaitHealthyArgs struct {
	ID          string           `json:"id"`
	Healthcheck *sdk.Healthcheck `json:"healthcheck,omitempty"`
}

// StateResult is the result of WaitHealthy and Inspect.
type StateResult struct {
	State sdk.State `json:"state"`
}

// StatesResult is the result of List.
type StatesResult struct {
	States []sdk.State `json:"states"`
}

// InfoResult is the result of Ping.
type InfoResult struct {
	Info sdk.Info `json:"info"`
}

// PreparedResult is the result of Prepared.
type PreparedResult struct {
	Prepared bool `json:"prepared"`
}

// LogsArgs are the arguments of Logs, whose output goes through stream_write,
// stream_forward or log_forward.
type LogsArgs struct {
	ID      string         `json:"id"`
	Options sdk.LogOptions `json:"options"`
}

// ExecArgs are the arguments of Exec, whose output goes through stream_write or
// stream_forward.
type ExecArgs struct {
	ID      string          `json:"id"`
	Options sdk.ExecOptions `json:"options"`
}

// ExecResult is the result of Exec.
type ExecResult struct {
	ExitCode int `json:"exit_code"`
}

// NetworkArgs are the arguments of NetworkEnsure and NetworkRemove.
type NetworkArgs struct {
	Network sdk.Network `json:"network"`
}

// VolumeArgs are the arguments of VolumeEnsure and VolumeRemove.
type VolumeArgs struct {
	Volume sdk.Volume `json:"volume"`
}

// CreatedResult is the result of NetworkEnsure and VolumeEnsure.
type CreatedResult struct {
	Created bool `json:"created"`
}

// VolumesResult is the result of VolumeList.
type VolumesResult struct {
	Volumes []sdk.Volume `json:"volumes"`
}

// RestartPolicyArgs are the arguments of RestartPolicy.
type RestartPolicyArgs struct {
	ID      string            `json:"id"`
	Restart sdk.RestartPolicy `json:"restart"`
}

// EnvResult is the result of Env.
type EnvResult struct {
	Env map[string]string `json:"env"`
}

// PortsResult is the result of Ports.
type PortsResult struct {
	Ports []sdk.PublishedPort `json:"ports"`
}
