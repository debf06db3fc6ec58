package exitcode

// Code is the exit code of the program.
type Code int

// The exit codes. For `exec` and `--abort-on-exit` the program takes that of
// the container instead.
const (
	// Done says that all went as it was asked for.
	Done Code = 0
	// Wrong says that the manifest or the settings are wrong. It is also the
	// code of an error that nothing else is known about, as is usual.
	Wrong Code = 1
	// Usage says that the command line is wrong.
	Usage Code = 2
	// Engine says that there is no engine, or that it failed.
	Engine Code = 3
	// Resource says that a resource failed to start or to become ready.
	Resource Code = 4
	// Timeout says that something took longer than it was given.
	Timeout Code = 5
	// Owned says that another `up` owns the project.
	Owned Code = 6
	// Plugin says that a plugin was refused or misbehaved.
	Plugin Code = 7
	// Interrupted says that SIGINT ended a start.
	Interrupted Code = 130
	// Terminated says that SIGTERM ended a start.
	Terminated Code = 143
)
