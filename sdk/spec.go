package sdk

import "net/netip"

// Spec describes one container in full: nothing in it is left to interpolate,
// look up or default by project. A runtime refuses what it can't honour.
type Spec struct {
	Project  string `json:"project"`
	Resource string `json:"resource"`
	// Kind is the manifest's word for the resource, such as "postgres".
	Kind string `json:"kind,omitempty"`
	// Runtime names the runtime that is to run it; empty means the one in use. A
	// runtime that is asked need not look at it.
	Runtime string `json:"runtime,omitempty"`
	// Name is the container's name, unique on the engine.
	Name string `json:"name"`

	// Image is the reference to run; with Build, the tag to give to the result.
	Image string     `json:"image"`
	Build *Build     `json:"build,omitempty"`
	Pull  PullPolicy `json:"pull,omitempty"`

	// Entrypoint and Command replace the image's own when they aren't nil.
	Entrypoint []string          `json:"entrypoint,omitzero"`
	Command    []string          `json:"command,omitzero"`
	Env        map[string]string `json:"env,omitempty"`
	// SecretEnv names the variables of Env that are never to be shown.
	SecretEnv  []string `json:"secret_env,omitempty"`
	WorkingDir string   `json:"working_dir,omitempty"`
	User       string   `json:"user,omitempty"`
	Hostname   string   `json:"hostname,omitempty"`
	// Init runs a minimal init as process 1, which reaps and forwards signals.
	Init bool `json:"init,omitempty"`

	Ports  []PortBinding `json:"ports,omitempty"`
	Mounts []Mount       `json:"mounts,omitempty"`
	// Network is the one to join. A process on this machine can't; to it, it is
	// the network whose containers have to reach it.
	Network string `json:"network,omitempty"`
	// Aliases are the names under which others on Network find the container.
	Aliases []string `json:"aliases,omitempty"`
	// ExtraHosts are more names that the container can look up, each as
	// "name:address". The address host-gateway is that of the machine, as
	// containers reach it.
	ExtraHosts []string          `json:"extra_hosts,omitempty"`
	Labels     map[string]string `json:"labels,omitempty"`

	// Healthcheck is nil when the manifest says nothing: then the image's own
	// healthcheck, if it has one, counts.
	Healthcheck *Healthcheck `json:"healthcheck,omitempty"`
	Stop        StopPolicy   `json:"stop,omitzero"`
	// Restart is what the engine itself is to do when the container ends. It is
	// empty while the program supervises the container.
	Restart RestartPolicy `json:"restart,omitzero"`
	Limits  Limits        `json:"limits,omitzero"`
}

// PullPolicy says when an image is fetched from its registry.
type PullPolicy string

// The pull policies; an empty one means PullMissing.
const (
	PullMissing PullPolicy = "missing"
	PullAlways  PullPolicy = "always"
	PullNever   PullPolicy = "never"
)

// Build says how to make an image from a folder.
type Build struct {
	// Context is the absolute path of the build context.
	Context string `json:"context"`
	// Dockerfile is the absolute path of the Dockerfile, inside or outside of
	// Context.
	Dockerfile string            `json:"dockerfile"`
	Args       map[string]string `json:"args,omitempty"`
	// SecretArgs names the entries of Args that are never to be shown.
	SecretArgs []string          `json:"secret_args,omitempty"`
	Target     string            `json:"target,omitempty"`
	Labels     map[string]string `json:"labels,omitempty"`
}

// Protocol is a transport protocol.
type Protocol string

// The transport protocols that can be published; an empty one means TCP.
const (
	TCP Protocol = "tcp"
	UDP Protocol = "udp"
)

// PortBinding publishes a container port on the host.
type PortBinding struct {
	// HostIP is the address to bind; never empty in a Spec.
	HostIP string `json:"host_ip"`
	// HostPort is 0 where any free port will do.
	HostPort      uint16   `json:"host_port"`
	ContainerPort uint16   `json:"container_port"`
	Protocol      Protocol `json:"protocol"`
}

// OnLoopback says whether nobody but this machine itself reaches the port.
func (p PortBinding) OnLoopback() bool {
	address, err := netip.ParseAddr(p.HostIP)
	return err == nil && address.IsLoopback()
}

// NeedsGate says whether containers reach a process at this port only through a
// gate; see [Gatekeeper]. There is none for UDP.
func (p PortBinding) NeedsGate() bool { return p.OnLoopback() && p.Protocol != UDP }

// MountType says where a mount's content comes from.
type MountType string

// The types of mounts.
const (
	MountVolume MountType = "volume"
	MountBind   MountType = "bind"
	MountTmpfs  MountType = "tmpfs"
)

// Mount puts a volume, a host path or memory into the container.
type Mount struct {
	Type MountType `json:"type"`
	// Source is a volume's name or an absolute host path; empty for tmpfs and
	// for an anonymous volume.
	Source   string `json:"source,omitempty"`
	Target   string `json:"target"`
	ReadOnly bool   `json:"read_only,omitempty"`
	// Options are tmpfs options such as "size=64m,mode=1777".
	Options string `json:"options,omitempty"`
}

// Healthcheck says how to find out whether a container is ready. Exactly one
// of Test, HTTP, TCP, Log and Disable is set.
type Healthcheck struct {
	// Test is a command to run inside the container, as its argument list
	// without a leading CMD or CMD-SHELL; it passes with exit code 0.
	Test []string   `json:"test,omitempty"`
	HTTP *HTTPCheck `json:"http,omitempty"`
	TCP  *TCPCheck  `json:"tcp,omitempty"`
	Log  *LogCheck  `json:"log,omitempty"`
	// Disable ignores the image's own healthcheck.
	Disable bool `json:"disable,omitempty"`

	// Interval is the time between two checks of a container that is ready.
	Interval Duration `json:"interval_ms,omitempty"`
	// Timeout bounds a single check.
	Timeout Duration `json:"timeout_ms,omitempty"`
	// Retries is the number of failures, an interval apart, after which the
	// container is unhealthy.
	Retries int `json:"retries,omitempty"`
	// StartPeriod is the time after the start in which failures don't count.
	StartPeriod Duration `json:"start_period_ms,omitempty"`
	// StartInterval is the time between two checks of a container that isn't
	// ready yet; it grows toward Interval as the wait gets longer.
	StartInterval Duration `json:"start_interval_ms,omitempty"`
}

// HTTPCheck passes when a GET is answered with the expected status.
type HTTPCheck struct {
	Port uint16 `json:"port"`
	Path string `json:"path,omitempty"`
	// Status is the expected status; 0 means any from 200 to 399.
	Status  int               `json:"status,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
}

// TCPCheck passes when a connection is accepted.
type TCPCheck struct {
	Port uint16 `json:"port"`
}

// LogCheck passes when a line of output matches a regular expression (RE2).
type LogCheck struct {
	Pattern string `json:"pattern"`
}

// StopPolicy says how a container is asked to end.
type StopPolicy struct {
	// Signal is a name such as "SIGINT"; empty means the image's own, else
	// SIGTERM.
	Signal string `json:"signal,omitempty"`
	// Grace is the time until it is killed; 0 means the run's default.
	Grace Duration `json:"grace_ms,omitempty"`
}

// RestartMode says when a container that ended is started again.
type RestartMode string

// The modes of restart policies; an empty one means RestartNo.
const (
	RestartNo        RestartMode = "no"
	RestartOnFailure RestartMode = "on-failure"
	RestartAlways    RestartMode = "always"
)

// RestartPolicy says whether a container that ended is started again.
type RestartPolicy struct {
	Mode RestartMode `json:"mode,omitempty"`
	// MaxRetries bounds the restarts in a row, with RestartOnFailure; 0 means no
	// bound.
	MaxRetries int `json:"max_retries,omitempty"`
}

// Limits bound what a container may use; zero means no limit.
type Limits struct {
	// NanoCPUs is a number of CPUs in billionths.
	NanoCPUs int64 `json:"nano_cpus,omitempty"`
	// MemoryBytes is the memory, swap included.
	MemoryBytes int64 `json:"memory_bytes,omitempty"`
	// PIDs is the number of processes and threads.
	PIDs int64 `json:"pids,omitempty"`
}
