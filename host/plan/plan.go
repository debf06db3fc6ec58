package plan

import (
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Plan is what has to be done to a project. The zero value of each part means
// that there is nothing to do about it.
type Plan struct {
	Project string `json:"project"`
	// Network is the project's network, if it has one.
	Network *NetworkStep `json:"network,omitempty"`
	Volumes []VolumeStep `json:"volumes,omitempty"`
	// Steps are in an order in which dependencies come first.
	Steps []Step `json:"steps"`
}

// NetworkStep says what is done about the project's network.
type NetworkStep struct {
	Network sdk.Network `json:"network"`
	Action  Action      `json:"action"`
}

// VolumeStep says what is done about a named volume.
type VolumeStep struct {
	Volume sdk.Volume `json:"volume"`
	Action Action     `json:"action"`
}

// Action is what a step does.
type Action string

// The actions of steps. A network or volume is only created, kept or removed.
const (
	Create   Action = "create"
	Recreate Action = "recreate"
	Keep     Action = "keep"
	Remove   Action = "remove"
)

// Prepare is what has to be done about an image before a container can be made
// from it.
type Prepare string

// What there is to prepare; an empty one means nothing.
const (
	Pull  Prepare = "pull"
	Build Prepare = "build"
)

// Step is what is done about one resource.
type Step struct {
	Resource string `json:"resource"`
	Kind     string `json:"kind"`
	Action   Action `json:"action"`
	// Reason says why, in words for people, without any secret.
	Reason  string  `json:"reason"`
	Prepare Prepare `json:"prepare,omitempty"`
	// Spec is the container to create or keep; nil with Remove.
	Spec      *sdk.Spec    `json:"spec,omitempty"`
	DependsOn []Dependency `json:"depends_on,omitempty"`
	// Completes means that the resource is ready when it has exited 0, and that
	// its exit is no failure.
	Completes bool `json:"completes,omitempty"`
	// StartTimeout bounds the time from start to ready; 0 lets the executor
	// compute it from the healthcheck.
	StartTimeout time.Duration `json:"-"`
	// StableFor is how long a container without a healthcheck must stay up
	// before it counts as ready.
	StableFor time.Duration `json:"-"`
	// Restart says when it is started again after it has ended.
	Restart sdk.RestartPolicy `json:"restart,omitzero"`
	// RestartWith are the resources of the plan with which it is restarted.
	RestartWith []string `json:"restart_with,omitempty"`
	// Grace is the resource's own grace period; 0 means the run's.
	Grace time.Duration `json:"-"`
	// Previous is the container that was seen: the one to keep, to replace or
	// to remove.
	Previous *sdk.State `json:"previous,omitempty"`
}

// Dependency is a resource that must have come to a condition first.
type Dependency struct {
	Resource  string    `json:"resource"`
	Condition Condition `json:"condition"`
}

// Condition is how far a dependency must have come.
type Condition string

// The conditions of dependencies.
const (
	// Ready means healthy where there is a healthcheck, else seen running, and
	// completed for a resource that is meant to complete.
	Ready     Condition = "ready"
	Started   Condition = "started"
	Healthy   Condition = "healthy"
	Completed Condition = "completed"
)

// Makes says whether the step makes a container, for which the image has to be
// there.
func (s *Step) Makes() bool { return s.Action == Create || s.Action == Recreate }

// PrepareImage notes that the image has to be pulled or built first.
func (s *Step) PrepareImage() {
	s.Prepare = Pull
	if s.Spec.Build != nil {
		s.Prepare = Build
	}
}

// DependencyNames returns the names of the step's dependencies.
func (s *Step) DependencyNames() []string {
	names := make([]string, len(s.DependsOn))
	for i, dependency := range s.DependsOn {
		names[i] = dependency.Resource
	}
	return names
}
