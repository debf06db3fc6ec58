package abi

// Version is the major version, which is also in the names of the marker and of
// the import modules. Minor counts what was only added since.
const (
	Version = 1
	Minor   = 1
)

// What a module's sections are searched for.
const (
	// Marker is the export, of type () -> (), that says which version a module
	// speaks. It is never called.
	Marker = "lightshuttle_abi_v1"
	// MarkerPrefix is what the markers of all versions begin with.
	MarkerPrefix = "lightshuttle_abi_v"
	// Initialize is called once per instance, if it is there, before anything
	// else.
	Initialize = "_initialize"
	// Memory is the memory that a module must export.
	Memory = "memory"
	// ManifestSection is the custom section that holds a [Manifest].
	ManifestSection = "lightshuttle.manifest"
)

// The modules that a plugin may import from, beside WASI's.
const (
	ModuleCore = "lightshuttle_v1"
	ModuleExec = "lightshuttle_exec_v1"
	ModuleHTTP = "lightshuttle_http_v1"
	ModuleKV   = "lightshuttle_kv_v1"
	ModuleWASI = "wasi_snapshot_preview1"
)

// The functions of ModuleCore.
const (
	InputRead     = "input_read"
	ResultRead    = "result_read"
	OutputWrite   = "output_write"
	Log           = "log"
	Emit          = "emit"
	Clock         = "clock"
	Sleep         = "sleep"
	IORead        = "io_read"
	IOPoll        = "io_poll"
	IOClose       = "io_close"
	StreamWrite   = "stream_write"
	StreamForward = "stream_forward"
	LogForward    = "log_forward" // since 1.1
)

// The functions of ModuleExec.
const (
	ExecRun   = "run"
	ExecSpawn = "spawn"
	ExecWait  = "wait"
	ExecKill  = "kill"
)

// HTTPRequestCall is the function of ModuleHTTP.
const HTTPRequestCall = "request"

// The functions of ModuleKV.
const (
	KVGet    = "get"
	KVSet    = "set"
	KVDelete = "delete"
	KVList   = "list"
)

// The ids of clock.
const (
	ClockWall      = 0 // nanoseconds since 1970, UTC
	ClockMonotonic = 1 // nanoseconds since some moment
	ClockLeft      = 2 // nanoseconds until the operation's deadline; -1 without one
)

// The kinds of streams, for stream_write and stream_forward.
const (
	StreamStdout = 1
	StreamStderr = 2
	// StreamDocker is a stream in frames of 8 bytes of header, which name the
	// stream and the length, as Docker sends them. Only for stream_forward.
	StreamDocker = 3
	// StreamTimestamps is added to a kind when each line begins with a time in
	// the form of RFC 3339 and a space, which the host takes off and uses. Only
	// for stream_forward.
	StreamTimestamps = 16
)

// What is bounded on both sides.
const (
	MaxManifest = 64 << 10 // bytes of the manifest section
	MaxError    = 64 << 10 // bytes of an error document
	MaxOutput   = 4 << 20  // bytes of an operation's result, unless the user set another limit
	MaxHandles  = 64       // open at a time, in one operation
	MaxKV       = 1 << 20  // bytes of all keys and values of a plugin, at most
)
