package process

import (
	"log/slog"
)

// Options say where a Runtime keeps its things and how it gets a supervisor.
type Options struct {
	// Dir is the folder for all projects; empty means one in the user's state
	// folder ($XDG_STATE_HOME, else ~/.local/state).
	Dir string
	// Supervisor is the command that calls [Supervise] with the argument that is
	// added to it: this program with a hidden command.
	Supervisor []string
	// LogBytes and LogFiles bound what is kept of a process's output: files of
	// that size, and how many; 0 means 10 MiB and 5.
	LogBytes int64
	LogFiles int
	// Logger gets what isn't worth an error; nothing by default.
	Logger *slog.Logger
}

const (
	defaultLogBytes = 10 << 20
	defaultLogFiles = 5
)
