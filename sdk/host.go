package sdk

import (
	"context"
	"io"
	"time"
)

// Host is what a runtime may use of the machine that it runs on. Compiled into
// the program it is the operating system; compiled to WASM it is the ABI, which
// allows what the user granted. A runtime that uses nothing else runs in both
// homes.
type Host interface {
	// Run runs a program to its end and returns what it printed. A program that
	// ends with an exit code other than 0 is no error.
	Run(ctx context.Context, command Command) (Result, error)
	// Spawn starts a program whose output is read while it runs.
	Spawn(ctx context.Context, command Command) (Process, error)
	// Do makes an HTTP request.
	Do(ctx context.Context, request Request) (*Response, error)
	// Log writes one line to the program's log; it never fails.
	Log(level LogLevel, message string)
	// Sleep waits, or fails with the context's error when ctx ends first.
	Sleep(ctx context.Context, d time.Duration) error
}

// LogLevel is how much a line of the log matters.
type LogLevel int

// The levels, in the order of how much they matter.
const (
	LogDebug LogLevel = iota
	LogInfo
	LogWarn
	LogError
)

// Command is a program to run. It is never given to a shell.
type Command struct {
	// Program is a name to look up, or the alias of a grant.
	Program string   `json:"program"`
	Args    []string `json:"args"`
	// Env is added to the minimal environment that the host gives; variables
	// that aren't granted are refused with CodeDenied.
	Env [][2]string `json:"env,omitempty"`
	// Stdin is all of the standard input; nil closes it.
	Stdin []byte `json:"-"`
	// Works says that the program has the engine do work of which several at the
	// same time only hold each other up. A host that runs a runtime's operations
	// apart from each other, so that they can't see to that themselves, may let it
	// wait a while.
	Works bool `json:"works,omitempty"`
}

// Result is how a program ended.
type Result struct {
	// ExitCode is that of the program; 128 plus the number of the signal that
	// killed it.
	ExitCode int    `json:"exit_code"`
	Stdout   []byte `json:"-"`
	Stderr   []byte `json:"-"`
	// Truncated says that it printed more than the host keeps.
	Truncated bool `json:"truncated,omitempty"`
}

// Process is a program that runs. It has to be closed, which kills it if it
// still runs.
type Process interface {
	// Stdout and Stderr are read to their ends before Wait.
	Stdout() io.Reader
	Stderr() io.Reader
	// Wait waits for the end and returns the exit code, as in Result.
	Wait() (exitCode int, err error)
	// Kill sends SIGTERM, or with force SIGKILL, to the whole process group.
	Kill(force bool) error
	io.Closer
}

// Request is an HTTP request to an endpoint that has an alias.
type Request struct {
	// Endpoint is the alias; the host knows its address.
	Endpoint string      `json:"endpoint"`
	Method   string      `json:"method"`
	Path     string      `json:"path"`
	Query    [][2]string `json:"query,omitempty"`
	Header   [][2]string `json:"headers,omitempty"`
	Body     io.Reader   `json:"-"`
}

// Response is the answer to a Request. Its body has to be closed.
type Response struct {
	Status int           `json:"status"`
	Header [][2]string   `json:"headers,omitempty"`
	Body   io.ReadCloser `json:"-"`
}
