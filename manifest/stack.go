package manifest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Stack is a manifest with every value in its place. It is never changed.
type Stack struct {
	Project     string
	Version     string
	Description string
	Network     sdk.Network
	// Volumes are the named volumes of all resources.
	Volumes []sdk.Volume
	// Resources are in the order of the manifest.
	Resources []StackResource
}

// StackResource is a resource as it is to run.
type StackResource struct {
	Name      string
	Kind      string
	Spec      sdk.Spec
	DependsOn []Dependency
	Outputs   []Output
	// StartTimeout is the time to become ready; 0 means that it follows from
	// the healthcheck.
	StartTimeout time.Duration
	// StableFor is how long it must stay up to count as ready, without a
	// healthcheck.
	StableFor time.Duration
	// Restart says when it is started again. It is not a part of Spec: whoever
	// runs the stack applies it, and changing it changes no container.
	Restart sdk.RestartPolicy
	// RestartWith are the resources with which it is restarted.
	RestartWith []string
	Profiles    []string
	// Completes says that it runs once: it is ready when it has exited 0.
	Completes bool
}

// Dependency is a resource that must have come to a condition first.
type Dependency struct {
	Resource  string
	Condition Condition
	// Implicit says that it comes from a reference and not from depends_on.
	Implicit bool
}

// Output is a value that others can refer to.
type Output struct {
	Name   string
	Value  string
	Secret bool
}

// Hash identifies a spec: equal hashes mean that the container needs no change.
// It is hex, and is the value of sdk.LabelHash. When an image is pulled is no
// part of it: a container isn't another one for that.
func Hash(spec sdk.Spec) string {
	spec.Pull = ""
	spec.Labels = maps.Clone(spec.Labels)
	delete(spec.Labels, sdk.LabelHash)
	delete(spec.Labels, sdk.LabelParts)
	data, err := json.Marshal(spec)
	if err != nil {
		panic(err) // a spec has nothing that JSON couldn't hold
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
