package sdk

import (
	"context"
	"io"
	"net/netip"
	"time"
)

// Pinger is a runtime that can tell whether its engine is there.
type Pinger interface {
	// Ping reaches the engine and describes it, or fails with CodeUnavailable
	// and a hint that says what to do.
	Ping(ctx context.Context) (Info, error)
}

// Info describes an engine that answered.
type Info struct {
	Name       string `json:"name"`
	Version    string `json:"version"`
	APIVersion string `json:"api_version,omitempty"`
	Address    string `json:"address,omitempty"`
	OS         string `json:"os,omitempty"`
	Arch       string `json:"arch,omitempty"`
}

// Validator is a runtime that can judge a spec without touching anything.
type Validator interface {
	// Validate fails with CodeUnsupported, naming the field, for what Start
	// would refuse, and with CodeImageNotFound when the image is absent and its
	// pull policy is "never".
	Validate(ctx context.Context, spec Spec) error
}

// Preparer is a runtime that fetches or builds images ahead of Start, so that
// this work overlaps with waiting for dependencies.
type Preparer interface {
	// Prepared says whether Prepare would have nothing to do.
	Prepared(ctx context.Context, spec Spec) (bool, error)
	// Prepare pulls or builds the image of spec as its pull policy says.
	// report may be nil, and is never called after Prepare returned.
	Prepare(ctx context.Context, spec Spec, report func(Progress)) error
}

// Progress is one step in the preparation of an image.
type Progress struct {
	// Action is "pull" or "build".
	Action string `json:"action"`
	// Status is one line for people, such as a layer's state or a build step.
	Status string `json:"status,omitempty"`
	// Current and Total count bytes of a pull or steps of a build; Total is 0
	// when it isn't known.
	Current int64 `json:"current,omitempty"`
	Total   int64 `json:"total,omitempty"`
}

// Inspector is a runtime that can look at one container.
type Inspector interface {
	// Inspect returns the container's state, or fails with CodeNotFound.
	Inspect(ctx context.Context, id string) (State, error)
}

// Lister is a runtime that can find a project's containers by their labels.
type Lister interface {
	// List returns every container of the project, ended ones included, in no
	// particular order, each as complete as Inspect would have it.
	List(ctx context.Context, project string) ([]State, error)
}

// Remover is a runtime whose stopped containers stay until they are removed.
type Remover interface {
	// Remove deletes the container and its anonymous volumes, killing it if it
	// still runs. Removing a container that is gone is a success, and one whose
	// removal is already under way is waited for.
	Remove(ctx context.Context, id string) error
}

// Stream names an output of a container.
type Stream string

// The output streams of a container.
const (
	Stdout Stream = "stdout"
	Stderr Stream = "stderr"
)

// LogEntry is a piece of a container's output: a line with its line break where
// the runtime knows lines, else a chunk as it came.
type LogEntry struct {
	Stream Stream    `json:"stream"`
	Time   time.Time `json:"time"`
	Data   []byte    `json:"data"`
}

// LogOptions say which part of a container's output is wanted.
type LogOptions struct {
	Follow bool      `json:"follow,omitempty"`
	Since  time.Time `json:"since,omitzero"`
	// Tail is the number of last lines; a negative number means all.
	Tail int `json:"tail"`
}

// Logger is a runtime that keeps what its containers print.
type Logger interface {
	// Logs hands each piece of output to sink, in order, until there is no
	// more, ctx ends, or sink fails; sink's error is returned as it is. A
	// followed log ends when the container does. sink must not keep Data.
	Logs(ctx context.Context, id string, options LogOptions, sink func(LogEntry) error) error
}

// ExecOptions describe a command to run inside a container.
type ExecOptions struct {
	Command    []string          `json:"command"`
	Env        map[string]string `json:"env,omitempty"`
	User       string            `json:"user,omitempty"`
	WorkingDir string            `json:"working_dir,omitempty"`
	// Stdin is what the command reads, to its end; nil means nothing. When the
	// command has ended, Exec doesn't wait for a read that blocks.
	Stdin io.Reader `json:"-"`
	// TTY gives the command a terminal. All output then goes to Stdout.
	TTY bool `json:"tty,omitempty"`
	// Resize tells the size of that terminal, first the one to begin with.
	Resize <-chan TerminalSize `json:"-"`
	// Stdout and Stderr receive the output; nil discards it.
	Stdout io.Writer `json:"-"`
	Stderr io.Writer `json:"-"`
}

// TerminalSize is the size of a terminal in characters.
type TerminalSize struct {
	Width  uint16 `json:"width"`
	Height uint16 `json:"height"`
}

// Execer is a runtime that can run a command inside a container.
type Execer interface {
	// Exec runs the command to its end and returns its exit code. An error
	// means that it could not be run or followed.
	Exec(ctx context.Context, id string, options ExecOptions) (exitCode int, err error)
}

// Networker is a runtime with networks of its own, in which containers find
// each other by their aliases.
type Networker interface {
	// EnsureNetwork makes sure that the network exists, and says whether it had
	// to create it. A network of that name which doesn't carry the project's
	// label is refused with CodeConflict.
	EnsureNetwork(ctx context.Context, network Network) (created bool, err error)
	// RemoveNetwork removes the project's network. That it is gone is a
	// success; one that isn't the project's is left alone and refused.
	RemoveNetwork(ctx context.Context, network Network) error
}

// Gatewayer is a Networker that knows which address this machine has on its
// networks.
type Gatewayer interface {
	// Gateway returns the machine's address on the network together with the
	// network's prefix, such as 172.18.0.1/16. It is the zero prefix where
	// containers run in a machine of their own: its engine alone knows the way
	// here. It fails with CodeUnsupported where they can't reach the address.
	Gateway(ctx context.Context, network string) (netip.Prefix, error)
}

// Gatekeeper is a runtime of processes on this machine, to which it can lead
// the containers of a network.
type Gatekeeper interface {
	// OpenGates leads connections that containers make to the ports of the
	// project's resources, at one of the gateways, to those resources. Only those
	// that have a network (see Spec) are led to, only from a gateway's own prefix,
	// and only to ports of the loopback address: who listens on other addresses is
	// reached without. It holds until the resource is removed, also for those
	// that are started later, and replaces what was there before. What listens
	// when it is called can be reached when it returns, all else soon after it
	// listens.
	OpenGates(ctx context.Context, project string, gateways []netip.Prefix) error
}

// Network is a project's private network.
type Network struct {
	Name    string            `json:"name"`
	Project string            `json:"project"`
	Labels  map[string]string `json:"labels,omitempty"`
}

// Volumer is a runtime with named volumes.
type Volumer interface {
	// EnsureVolume makes sure that the volume exists, and says whether it had
	// to create it. A volume of that name which doesn't carry the project's
	// label is refused with CodeConflict.
	EnsureVolume(ctx context.Context, volume Volume) (created bool, err error)
	// ListVolumes returns the project's named volumes.
	ListVolumes(ctx context.Context, project string) ([]Volume, error)
	// RemoveVolume removes the project's volume. That it is gone is a success;
	// one that isn't the project's is left alone and refused.
	RemoveVolume(ctx context.Context, volume Volume) error
}

// OrphanRemover is a runtime whose engine can lose the anonymous volumes of a
// container: by being killed while it makes or removes one.
type OrphanRemover interface {
	// RemoveOrphans removes the anonymous volumes of the project's containers
	// that no container has any more.
	RemoveOrphans(ctx context.Context, project string) error
}

// Volume is a named volume of a project.
type Volume struct {
	Name    string            `json:"name"`
	Project string            `json:"project"`
	Labels  map[string]string `json:"labels,omitempty"`
}

// Restarter is a runtime whose engine restarts containers by itself, also when
// this program isn't there.
type Restarter interface {
	// SetRestart changes the restart policy of a container that is there.
	SetRestart(ctx context.Context, id string, policy RestartPolicy) error
}

// EnvReader is a runtime that can tell which environment a container was given.
type EnvReader interface {
	// Env returns the container's environment, secrets included, or fails with
	// CodeNotFound.
	Env(ctx context.Context, id string) (map[string]string, error)
}

// PortFinder is a runtime that knows which host ports its engine has given
// away, also to containers that aren't ours: an engine may hold a port without
// any socket to be seen.
type PortFinder interface {
	// PublishedPorts returns every published host port of running containers.
	PublishedPorts(ctx context.Context) ([]PublishedPort, error)
}

// PublishedPort is a host port and the container that holds it.
type PublishedPort struct {
	PortBinding
	Container string `json:"container"`
	// Project is the LightShuttle project of the container, if it has one.
	Project string `json:"project,omitempty"`
}

// Watcher is a runtime that tells what happens to containers as it happens.
type Watcher interface {
	// Watch subscribes to the events of a project's containers. The
	// subscription stands when Watch returns, so that a look after it misses
	// nothing. A since that isn't zero asks for what happened after it, too, as
	// far as the engine remembers; who asks still has to look, and has to expect
	// events that it knows. The channel is closed when ctx ends; when the engine
	// is lost it carries one last EventLost before it is closed.
	Watch(ctx context.Context, project string, since time.Time) (<-chan Event, error)
}

// EventType says what happened to a container.
type EventType string

// What a Watcher reports.
const (
	EventStarted   EventType = "started"
	EventExited    EventType = "exited"
	EventOOM       EventType = "oom"
	EventHealthy   EventType = "healthy"
	EventUnhealthy EventType = "unhealthy"
	EventPaused    EventType = "paused"
	EventUnpaused  EventType = "unpaused"
	EventRemoved   EventType = "removed"
	// EventLost says that the engine can't be heard any more; see Event.Err.
	EventLost EventType = "lost"
)

// Event is something that happened to a container.
type Event struct {
	Type     EventType `json:"type"`
	ID       string    `json:"id,omitempty"`
	Name     string    `json:"name,omitempty"`
	Resource string    `json:"resource,omitempty"`
	Time     time.Time `json:"time"`
	ExitCode int       `json:"exit_code,omitempty"`
	Err      error     `json:"-"`
}
