package config

import (
	"log/slog"
	"slices"
	"time"
)

// The values of [Log.Format].
const (
	FormatText = "text"
	FormatJSON = "json"
)

// Settings are the settings of the program. The names of the fields are the
// keys of the table, which a test checks.
type Settings struct {
	Runtime  string
	Runtimes Runtimes
	Timeouts Timeouts
	// Grace is how long a container is given to end by itself.
	Grace time.Duration
	// Parallel bounds pulls and builds, and starts; 0 leaves it to the program.
	Parallel int
	Log      Log

	entries []Entry
}

// Runtimes holds what only one runtime understands.
type Runtimes struct {
	Docker  Docker
	Nerdctl Nerdctl
	Podman  Podman
	Finch   Finch
}

// Docker says how to reach the Docker engine.
type Docker struct{ Host, Context string }

// Nerdctl says which nerdctl to run.
type Nerdctl struct{ Path, Namespace string }

// Podman says which podman to run, or where its service listens.
type Podman struct{ Path, Host string }

// Finch says which finch to run.
type Finch struct{ Path string }

// Timeouts bounds how long things may take.
type Timeouts struct {
	// Start is the least time that a resource is given to become ready.
	Start time.Duration
	// Wait bounds the whole of `up`; 0 is no bound.
	Wait time.Duration
	// Engine bounds each of the engine's answers that needs no work.
	Engine time.Duration
}

// Log says what is logged, and how.
type Log struct {
	Level  slog.Level
	Format string
}

// Entry is the value of one setting, and where it came from.
type Entry struct {
	Key string
	// Value is as it was written.
	Value  string
	Origin Origin
	Doc    string
}

// Entries returns an entry for each setting, in the order of the table.
func (s *Settings) Entries() []Entry { return slices.Clone(s.entries) }
