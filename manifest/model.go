package manifest

// The types below are the language. A field's tag names it, and says what the
// reference and the JSON Schema say of it:
//
//	field:"name"      its name in the file
//	default:"…"       what counts when it isn't there
//	doc:"…"           one sentence
//	enum:"a,b"        the values that it takes
//	pattern:"…"       a regular expression for the values that it takes
//	required:"true"   it must be there
//	interpolate:"no"  `${…}` in it has no meaning

// Manifest is a parsed manifest.
type Manifest struct {
	// File is the name under which it was parsed, Dir what relative paths in it
	// are relative to.
	File      string
	Dir       string
	Project   Project
	Resources []*Resource

	source *reporter
}

// document is the manifest as it stands in the file.
type document struct {
	Version       Text          `field:"lightshuttle" enum:"v0" default:"v0" interpolate:"no" doc:"The version of the manifest format."`
	Project       Project       `field:"project" required:"true" doc:"What the stack is called."`
	Resources     Resources     `field:"resources" required:"true" doc:"The resources of the stack, by name."`
	Dashboard     Dashboard     `field:"dashboard" doc:"The local dashboard (not built yet)."`
	Observability Observability `field:"observability" doc:"Telemetry (not built yet)."`
	Export        Export        `field:"export" doc:"Settings of the export command (not built yet)."`
}

// Project describes the stack as a whole.
type Project struct {
	Name        Text `field:"name" required:"true" interpolate:"no" doc:"Lower-case letters, digits, - and _; begins with a letter; 32 characters at most."`
	Version     Text `field:"version" interpolate:"no" doc:"Any text."`
	Description Text `field:"description" interpolate:"no" doc:"Any text."`
}

// Dashboard is accepted and checked.
type Dashboard struct {
	Port Number `field:"port" default:"a free one" doc:"Port of the dashboard on 127.0.0.1."`
}

// Observability is accepted and checked.
type Observability struct {
	OTel OTel `field:"otel" doc:"The bundled OpenTelemetry collector."`
}

// OTel is accepted and checked.
type OTel struct {
	Enabled Flag `field:"enabled" default:"false" doc:"Whether the collector runs."`
}

// Export is accepted and checked.
type Export struct {
	Compose    ExportCompose    `field:"compose" doc:"Docker Compose."`
	Kubernetes ExportKubernetes `field:"kubernetes" doc:"Kubernetes."`
	Helm       ExportHelm       `field:"helm" doc:"Helm."`
}

// ExportCompose holds the settings for Compose.
type ExportCompose struct {
	Resources ExportResources[ExportEnabled] `field:"resources" doc:"Settings by resource."`
}

// ExportEnabled leaves a resource out.
type ExportEnabled struct {
	Enabled Flag `field:"enabled" default:"true" doc:"Whether the resource is exported."`
}

// ExportKubernetes holds the settings for Kubernetes.
type ExportKubernetes struct {
	Namespace       Text                               `field:"namespace" default:"the project's name" interpolate:"no" doc:"Namespace, a DNS label."`
	Replicas        Number                             `field:"replicas" default:"1" doc:"Replicas of each resource."`
	ImagePullPolicy Text                               `field:"image_pull_policy" enum:"Always,IfNotPresent,Never" default:"IfNotPresent" interpolate:"no" doc:"Pull policy."`
	Resources       ExportResources[ExportKubeElement] `field:"resources" doc:"Settings by resource."`
}

// ExportKubeElement holds the settings for one resource.
type ExportKubeElement struct {
	Enabled         Flag   `field:"enabled" default:"true" doc:"Whether the resource is exported."`
	Replicas        Number `field:"replicas" doc:"Replicas."`
	ImagePullPolicy Text   `field:"image_pull_policy" enum:"Always,IfNotPresent,Never" interpolate:"no" doc:"Pull policy."`
}

// ExportHelm holds the settings for Helm.
type ExportHelm struct {
	ChartName    Text                               `field:"chart_name" default:"the project's name" interpolate:"no" doc:"Name of the chart."`
	ChartVersion Text                               `field:"chart_version" default:"the project's version, else 0.1.0" interpolate:"no" doc:"Version of the chart."`
	Replicas     Number                             `field:"replicas" default:"1" doc:"Replicas of each resource."`
	Resources    ExportResources[ExportHelmElement] `field:"resources" doc:"Settings by resource."`
}

// ExportHelmElement holds the settings for one resource.
type ExportHelmElement struct {
	Enabled  Flag   `field:"enabled" default:"true" doc:"Whether the resource is exported."`
	Replicas Number `field:"replicas" doc:"Replicas."`
}

// ExportResources are settings by the name of a resource.
type ExportResources[T any] []ExportResource[T]

// ExportResource is one entry of them.
type ExportResource[T any] struct {
	Name     string
	At       span
	Settings T
}

// Resources are the resources in the order of the file.
type Resources []*Resource

// Resource is one resource: exactly one of its kinds is set.
type Resource struct {
	Name string
	At   span
	Kind string

	Postgres   *Postgres
	Redis      *Redis
	Container  *Container
	Dockerfile *Dockerfile
	Process    *Process
	Job        *Job

	// needs are the dependencies of depends_on, then those of references.
	needs []Need
}

// Common are the fields of every kind.
type Common struct {
	Runtime      Text        `field:"runtime" default:"that of the settings" interpolate:"no" doc:"The runtime that runs it, where a stack is to use several."`
	DependsOn    Needs       `field:"depends_on" doc:"What must be ready first: a list of names, or a map of names to {condition: started|healthy|completed}."`
	Healthcheck  Healthcheck `field:"healthcheck" doc:"How to find out whether it is ready."`
	StartTimeout Period      `field:"start_timeout" default:"what the healthcheck needs, at least 60s" doc:"Time to become ready."`
	StableFor    Period      `field:"stable_for" default:"0s" doc:"Without a healthcheck: how long it must stay up to count as ready."`
	StopGrace    Period      `field:"stop_grace" default:"10s" doc:"Time to end by itself when it is stopped, before it is killed."`
	StopSignal   Text        `field:"stop_signal" default:"the image's, else SIGTERM" interpolate:"no" doc:"The signal that asks it to stop, such as SIGINT."`
	Restart      Text        `field:"restart" default:"no" interpolate:"no" pattern:"^(no|on-failure(:[1-9][0-9]*)?|always)$" doc:"When it is started again after it has ended: no, on-failure, on-failure:n (at most n times in a row) or always."`
	RestartWith  Names       `field:"restart_with" interpolate:"no" doc:"Resources with which it is restarted: when one of them is restarted or recreated, so is this one."`
	Pull         Text        `field:"pull" enum:"missing,always,never" default:"missing" interpolate:"no" doc:"When to pull the image."`
	Labels       TextMap     `field:"labels" doc:"Labels of the container."`
	Profiles     Names       `field:"profiles" doc:"It is only started when one of these profiles is asked for, or when it is named or needed."`
}

// Names is a list of plain names.
type Names []Text

// Postgres is a PostgreSQL server.
type Postgres struct {
	Version  Text    `field:"version" default:"16" doc:"Tag of the image, without -alpine."`
	Image    Text    `field:"image" default:"postgres:<version>-alpine" doc:"Another image; wins over version."`
	Database Text    `field:"database" default:"the resource's name" doc:"Name of the database."`
	User     Text    `field:"user" default:"postgres" doc:"Name of the superuser."`
	Password Text    `field:"password" default:"generated, and kept as long as the volume" doc:"Password of the superuser."`
	Port     Number  `field:"port" default:"a free one" doc:"Wished port on the host; another one is chosen when it is taken."`
	Volume   Storage `field:"volume" default:"true" doc:"true: a volume of its own that down keeps; false: data goes with the container; a name: that volume."`
	Common
}

// Redis is a Redis server.
type Redis struct {
	Version  Text    `field:"version" default:"7" doc:"Tag of the image, without -alpine."`
	Image    Text    `field:"image" default:"redis:<version>-alpine" doc:"Another image; wins over version."`
	Password Text    `field:"password" default:"none" doc:"Password that clients need."`
	Port     Number  `field:"port" default:"a free one" doc:"Wished port on the host; another one is chosen when it is taken."`
	Volume   Storage `field:"volume" default:"true" doc:"true: a volume of its own that down keeps; false: data goes with the container; a name: that volume."`
	Common
}

// Container runs an image.
type Container struct {
	Image Text `field:"image" required:"true" doc:"The image to run."`
	ContainerFields
	Common
}

// Dockerfile builds an image and runs it.
type Dockerfile struct {
	Context    Text    `field:"context" required:"true" doc:"Folder to build from, relative to the manifest."`
	Dockerfile Text    `field:"dockerfile" default:"Dockerfile" doc:"The Dockerfile, relative to the context."`
	BuildArgs  TextMap `field:"build_args" doc:"Arguments of the build. nerdctl refuses secret ones: it would show them in a list of processes."`
	Target     Text    `field:"target" default:"the last stage" doc:"The stage to build."`
	ContainerFields
	Common
}

// Process runs a command on this machine.
type Process struct {
	Command    Command    `field:"command" required:"true" doc:"Program with its arguments; a string is run by sh -c."`
	WorkingDir Text       `field:"working_dir" default:"the manifest's folder" doc:"Working directory, relative to the manifest."`
	Env        TextMap    `field:"env" doc:"Environment variables, on top of those that lightshuttle itself has."`
	EnvFile    Names      `field:"env_file" doc:"Files of environment variables, relative to the manifest; env wins over them."`
	Secrets    TextMap    `field:"secrets" doc:"Environment variables that are never shown."`
	Ports      ListenList `field:"ports" doc:"Ports that it listens on: port or address:port, each also with /udp; 0 is a free one that is chosen for it. The first is also its variable PORT."`
	Scheme     Text       `field:"scheme" interpolate:"no" doc:"With it, the output url is scheme://host:port."`
	Common
}

// Job runs once.
type Job struct {
	Image Text `field:"image" default:"none: a command on this machine" doc:"The image to run."`
	ContainerFields
	Common
}

// ContainerFields are what container and dockerfile share.
type ContainerFields struct {
	Entrypoint Command  `field:"entrypoint" default:"the image's" interpolate:"no" doc:"Program to run; a string is run by sh -c. Setting it drops the image's command."`
	Command    Command  `field:"command" default:"the image's" doc:"Arguments, or the program; a string is run by sh -c."`
	WorkingDir Text     `field:"working_dir" default:"the image's" doc:"Working directory in the container."`
	User       Text     `field:"user" default:"the image's" doc:"User, or user:group."`
	Env        TextMap  `field:"env" doc:"Environment variables."`
	EnvFile    Names    `field:"env_file" doc:"Files of environment variables, relative to the manifest; env wins over them."`
	Secrets    TextMap  `field:"secrets" doc:"Environment variables that are never shown."`
	Ports      PortList `field:"ports" doc:"Published ports: port, host:container, address:host:container, each also with /udp; host port 0 is any free one."`
	Scheme     Text     `field:"scheme" interpolate:"no" doc:"With it, the output url is scheme://host:port."`
	Volumes    Names    `field:"volumes" doc:"source:target[:ro|:rw]; a source with a slash or a leading dot is a path on the host, else a volume."`
	Tmpfs      Names    `field:"tmpfs" doc:"Folders in memory: path or path:options."`
	Init       Flag     `field:"init" default:"false" doc:"Run a minimal init as process 1."`
	Limits     Limits   `field:"limits" doc:"What it may use."`
}

// Limits bound what a container may use.
type Limits struct {
	CPUs   Text   `field:"cpus" default:"no limit" interpolate:"no" doc:"Number of CPUs, such as 0.5."`
	Memory Text   `field:"memory" default:"no limit" interpolate:"no" doc:"Memory, such as 512m or 2g."`
	PIDs   Number `field:"pids" default:"no limit" doc:"Number of processes and threads."`
}

// Healthcheck says how to find out whether a container is ready.
type Healthcheck struct {
	Test          Command   `field:"test" doc:"Command in the container that exits 0 when it is ready; a list may begin with CMD or CMD-SHELL."`
	HTTP          HTTPCheck `field:"http" doc:"A GET that is answered well, made by the program itself."`
	TCP           TCPCheck  `field:"tcp" doc:"A port that accepts connections, tried by the program itself."`
	Log           LogCheck  `field:"log" doc:"A line in the log."`
	Disable       Flag      `field:"disable" default:"false" doc:"Ignore the image's own healthcheck."`
	Interval      Period    `field:"interval" default:"5s" doc:"Time between two checks."`
	Timeout       Period    `field:"timeout" default:"3s" doc:"Time for one check."`
	Retries       Number    `field:"retries" default:"5" doc:"Failures, an interval apart, after which it is unhealthy."`
	StartPeriod   Period    `field:"start_period" default:"5s" doc:"Time after the start in which failures don't count."`
	StartInterval Period    `field:"start_interval" default:"100ms" doc:"Time between two checks until it is ready; grows toward interval."`

	Given bool
	At    span
}

// HTTPCheck is a GET.
type HTTPCheck struct {
	Port    Number  `field:"port" default:"the first of ports" doc:"Port in the container."`
	Path    Text    `field:"path" default:"/" interpolate:"no" doc:"Path to get."`
	Status  Number  `field:"status" default:"200 to 399" doc:"The status that counts."`
	Headers TextMap `field:"headers" interpolate:"no" doc:"Headers to send."`
	Given   bool
}

// TCPCheck is a connection.
type TCPCheck struct {
	Port  Number `field:"port" default:"the first of ports" doc:"Port in the container."`
	Given bool
}

// LogCheck is a line of output.
type LogCheck struct {
	Pattern Text `field:"pattern" required:"true" interpolate:"no" doc:"Regular expression (RE2)."`
	Given   bool
}

// kinds are the kinds of resources with their types.
var kinds = []struct {
	name string
	of   func(*Resource) any
	doc  string
}{
	{"postgres", func(r *Resource) any { r.Postgres = &Postgres{}; return r.Postgres }, "A PostgreSQL server."},
	{"redis", func(r *Resource) any { r.Redis = &Redis{}; return r.Redis }, "A Redis server."},
	{"container", func(r *Resource) any { r.Container = &Container{}; return r.Container }, "A container from an image."},
	{"dockerfile", func(r *Resource) any { r.Dockerfile = &Dockerfile{}; return r.Dockerfile }, "A container from an image that is built first."},
	{"process", func(r *Resource) any { r.Process = &Process{}; return r.Process }, "A command on this machine."},
	{"job", func(r *Resource) any { r.Job = &Job{}; return r.Job }, "A command that runs once, in a container or on this machine, and is ready when it has exited 0."},
}

// plannedKinds and plannedFields are known, but not supported yet: they are
// refused by name, so that nobody takes them for a misspelling.
var (
	plannedKinds  = []string{"mysql", "mariadb", "mongodb", "rabbitmq", "nats", "static"}
	plannedFields = []string{
		"hostname", "extra_hosts", "shm_size", "tty", "cap_add", "cap_drop",
		"privileged", "read_only", "ulimits", "platform",
	}
	plannedTopLevel = []string{"hooks", "include", "profiles"}
)

// common returns the fields that every kind has.
func (r *Resource) common() *Common {
	switch {
	case r.Postgres != nil:
		return &r.Postgres.Common
	case r.Redis != nil:
		return &r.Redis.Common
	case r.Container != nil:
		return &r.Container.Common
	case r.Dockerfile != nil:
		return &r.Dockerfile.Common
	case r.Process != nil:
		return &r.Process.Common
	case r.Job != nil:
		return &r.Job.Common
	}
	return &Common{}
}

// fields returns the struct of the resource's kind.
func (r *Resource) fields() any {
	switch {
	case r.Postgres != nil:
		return r.Postgres
	case r.Redis != nil:
		return r.Redis
	case r.Container != nil:
		return r.Container
	case r.Dockerfile != nil:
		return r.Dockerfile
	case r.Process != nil:
		return r.Process
	case r.Job != nil:
		return r.Job
	}
	return &struct{}{}
}
