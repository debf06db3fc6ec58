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
	Profiles  []string
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
// It is hex, and is the value of sdk.LabelHash.
func Hash(spec sdk.Spec) string {
	spec.Labels = maps.Clone(spec.Labels)
	delete(spec.Labels, sdk.LabelHash)
	data, err := json.Marshal(spec)
	if err != nil {
		panic(err) // a spec has nothing that JSON couldn't hold
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
