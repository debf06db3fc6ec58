package conformance

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Level is how much of the contract a runtime keeps. Each contains the one
// before it.
type Level int

// The levels.
const (
	// Core is start, stop and wait_healthy: what makes a runtime.
	Core Level = iota + 1
	// Managed adds inspect, list, remove, logs and networks.
	Managed
	// Full adds exec, prepare, events, volumes, published ports and the rest.
	Full
)

var levelNames = map[Level]string{Core: "core", Managed: "managed", Full: "full"}

// String returns the level's name.
func (l Level) String() string { return levelNames[l] }

// MarshalText writes the level's name.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads the level's name.
func (l *Level) UnmarshalText(text []byte) error {
	for level, name := range levelNames {
		if name == string(text) {
			*l = level
			return nil
		}
	}
	return fmt.Errorf("there is no level %q: it is core, managed or full", text)
}

// Target is a runtime to check and what the suite has to know of it.
type Target struct {
	// Name is shown in the report.
	Name    string
	Runtime sdk.Runtime
	// Level is what the runtime declares.
	Level Level
	// Workload returns a spec that runs the program of package workload with
	// these arguments. Only what the runtime needs for it has to be set; the
	// suite adds project, resource, name, labels and what the check is about.
	// A network in it is used wherever the check isn't about networks.
	Workload func(args ...string) sdk.Spec
	// Program is the command line of that program inside of a container, for
	// exec and healthchecks, such as /tiny.
	Program []string
	// Checked is like Workload, with an image whose own healthcheck runs the
	// program with the argument "get" each second. It is nil where there are no
	// images.
	Checked func(args ...string) sdk.Spec
	// HostNetwork says that workloads listen on the host's own ports, as
	// processes do: the suite then chooses free ones for them.
	HostNetwork bool
	// AbsentImage names an image that can't be had anywhere; it is empty where
	// there are no images.
	AbsentImage string
	// Pullable returns an image of the test program that can be pulled and isn't
	// there yet, and a function that removes it; nil where the suite isn't to
	// pull.
	Pullable func(ctx context.Context) (image string, remove func(), err error)
	// Lasting is how much longer a container runs after its last words, for an
	// engine that loses what is printed right before the end; 0 means that it ends
	// at once.
	Lasting time.Duration
	// Buildable says that Workload's image can be the base of a build.
	Buildable bool
	// Exclusions are the checks that the engine can't pass, by name, with the
	// engine's reason.
	Exclusions map[string]string
	// Outside looks at the engine without the runtime.
	Outside Outside
	// Dial reaches a published port. By default it is the machine's own network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Output is how many bytes the check of much output lets a container print;
	// 0 means 8 MiB.
	Output int64
	// Parallel is how many checks run at a time; 0 means 4.
	Parallel int
	// Timeout bounds each check; 0 means 90 seconds.
	Timeout time.Duration
	// Soon is how long "soon after its context" may take; 0 means 15 seconds,
	// which allows for a busy machine.
	Soon time.Duration
	// Only names the checks to run, as patterns of path.Match; none means all.
	Only []string
}

// Outside is a look at the engine that doesn't go through the runtime. Each is
// optional; what needs one that isn't there is reported as not offered.
type Outside struct {
	// Leftovers names what there is of the project: containers, networks,
	// volumes, processes.
	Leftovers func(ctx context.Context, project string) ([]string, error)
	// Volumes names the volumes that the container uses.
	Volumes func(ctx context.Context, id string) ([]string, error)
	// VolumeExists says whether there is a volume of that name.
	VolumeExists func(ctx context.Context, name string) (bool, error)
	// RemoveImage removes an image that the suite has made.
	RemoveImage func(ctx context.Context, image string) error
	// Lose makes the runtime lose its engine. The returned function brings it
	// back.
	Lose func() (restore func())
	// Pause and Unpause halt the container's processes.
	Pause, Unpause func(ctx context.Context, id string) error
}

const (
	defaultOutput   = 8 << 20
	defaultParallel = 4
	defaultTimeout  = 90 * time.Second
	defaultSoon     = 15 * time.Second
)

func (t Target) withDefaults() Target {
	if t.Name == "" {
		t.Name = "runtime"
	}
	if t.Output == 0 {
		t.Output = defaultOutput
	}
	if t.Parallel == 0 {
		t.Parallel = defaultParallel
	}
	if t.Timeout == 0 {
		t.Timeout = defaultTimeout
	}
	if t.Soon == 0 {
		t.Soon = defaultSoon
	}
	if t.Dial == nil {
		t.Dial = (&net.Dialer{}).DialContext
	}
	return t
}

// problem says what is wrong with the target itself.
func (t Target) problem() error {
	switch {
	case t.Runtime == nil:
		return errors.New("the target has no runtime")
	case t.Workload == nil:
		return errors.New("the target has no workload")
	case levelNames[t.Level] == "":
		return errors.New("the target declares no level: it is core, managed or full")
	}
	for name, reason := range t.Exclusions {
		if !known(name) {
			return fmt.Errorf("the target excludes %q, which is no check", name)
		}
		if reason == "" {
			return fmt.Errorf("the target excludes %q without a reason", name)
		}
	}
	return nil
}
