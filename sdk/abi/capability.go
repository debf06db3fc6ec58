package abi

import (
	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/enginelog"
)

// Handle names something that the host keeps open for an operation: a stream to
// read or a process. Handles begin at 1; 0 is none. When the operation returns,
// all are closed and processes killed.
type Handle int32

// ExecRequest is the document of run and spawn. The standard input is beside it,
// as bytes; without one it is closed.
type ExecRequest struct {
	// Program is the alias of a grant.
	Program string   `json:"program"`
	Args    []string `json:"args"`
	// Env is added to the minimal environment that the host gives.
	Env [][2]string `json:"env,omitempty"`
	// Timeout ends the program and fails with Timeout; 0 means that of the
	// operation.
	Timeout sdk.Duration `json:"timeout_ms,omitempty"`
	// Outlives says, for spawn and since 1.1, that the end of the operation's time
	// or the going of its caller doesn't end the program: the module does that, or
	// lets it go on in what grace there is.
	Outlives bool `json:"outlives,omitempty"`
	// Works says, since 1.1, that the program has the engine do work of which
	// several at the same time only hold each other up: it may wait a while for
	// such programs of the module's other operations.
	Works bool `json:"works,omitempty"`
}

// RunResult is the result of run. Stdout and Stderr are streams, so that any
// bytes get through; 0 when the program printed nothing there.
type RunResult struct {
	// ExitCode is 128 plus the number of the signal that killed the program.
	ExitCode int    `json:"exit_code"`
	Stdout   Handle `json:"stdout,omitempty"`
	Stderr   Handle `json:"stderr,omitempty"`
	// Truncated says that it printed more than the host keeps.
	Truncated bool `json:"truncated,omitempty"`
}

// SpawnResult is the result of spawn. Process is for wait, kill, io_poll (ready
// means ended) and io_close, which kills.
type SpawnResult struct {
	Process Handle `json:"process"`
	Stdout  Handle `json:"stdout"`
	Stderr  Handle `json:"stderr"`
}

// WaitResult is the result of wait.
type WaitResult struct {
	ExitCode int `json:"exit_code"`
}

// HTTPRequest is the document of request. The body is beside it, as bytes.
type HTTPRequest struct {
	// Endpoint is the alias of a grant.
	Endpoint string      `json:"endpoint"`
	Method   string      `json:"method"`
	Path     string      `json:"path"`
	Query    [][2]string `json:"query,omitempty"`
	Headers  [][2]string `json:"headers,omitempty"`
	// Timeout bounds all of it, the reading of the body included; 0 means that
	// of the operation.
	Timeout sdk.Duration `json:"timeout_ms,omitempty"`
}

// HTTPResponse is the result of request. Redirects are not followed.
type HTTPResponse struct {
	Status  int         `json:"status"`
	Headers [][2]string `json:"headers,omitempty"`
	// Body is a stream; 0 when there is none.
	Body Handle `json:"body,omitempty"`
}

// LogRequest is the document of log_forward: an engine's log, which the host
// takes apart and gives to who called Logs. Its result is an enginelog.End.
type LogRequest struct {
	// Frames is a stream of Docker's frames, each of which begins with a time.
	Frames Handle `json:"frames,omitempty"`
	// Stdout and Stderr are what a log command prints instead: lines that begin
	// with a time and a space.
	Stdout Handle `json:"stdout,omitempty"`
	Stderr Handle `json:"stderr,omitempty"`
	enginelog.Wanted
}
