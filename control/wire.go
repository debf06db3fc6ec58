package control

import (
	"errors"
	"net/http"
	"time"

	"github.com/lightshuttle/lightshuttle/host/lifecycle"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// Info says who answers.
type Info struct {
	Project  string    `json:"project"`
	PID      int       `json:"pid"`
	Since    time.Time `json:"since"`
	Version  string    `json:"version"`
	Runtime  string    `json:"runtime"`
	Manifest string    `json:"manifest"`
}

// Down asks for the end of the stack.
type Down struct {
	// Grace, if not nil, is the grace period of every container, whatever the
	// manifest says.
	Grace *sdk.Duration `json:"grace_ms,omitempty"`
	// Kill ends all patience of a stop that is under way, or of this one.
	Kill bool `json:"kill,omitempty"`
}

// Operation is what can be done to one resource.
type Operation string

// The operations.
const (
	Restart Operation = "restart"
	Stop    Operation = "stop"
	Start   Operation = "start"
)

// EventsRestarted is a marker in a stream of events: what follows are the events
// of another run, from its first. The number that the reader asked for is higher
// than any that this run has given out.
const EventsRestarted lifecycle.EventType = "events_restarted"

const (
	routeInfo      = "/v1/info"
	routeResources = "/v1/resources"
	routeEvents    = "/v1/events"
	routeDown      = "/v1/down"

	querySince  = "since"
	queryFollow = "follow"
	queryDetach = "detach"
)

// problem is an error on its way to the client.
type problem struct {
	Code     sdk.Code `json:"code"`
	Op       string   `json:"op,omitempty"`
	Resource string   `json:"resource,omitempty"`
	Reason   string   `json:"reason"`
	Hint     string   `json:"hint,omitempty"`
	ExitCode int      `json:"exit_code,omitempty"`
	Output   string   `json:"output,omitempty"`
}

func problemOf(err error) problem {
	p := problem{Code: sdk.CodeOf(err), Reason: err.Error()}
	typed, ok := errors.AsType[*sdk.Error](err)
	if !ok {
		return p
	}
	p.Hint, p.ExitCode, p.Output = typed.Hint, typed.ExitCode, typed.Output
	if err == error(typed) { //nolint:errorlint // what wraps it has words of its own, which are to be kept
		p.Op, p.Resource, p.Reason = typed.Op, typed.Resource, typed.Reason()
	}
	return p
}

func (p problem) err() error {
	return &sdk.Error{Code: p.Code, Op: p.Op, Resource: p.Resource, Err: errors.New(p.Reason), Hint: p.Hint, ExitCode: p.ExitCode, Output: p.Output}
}

func (p problem) status() int {
	switch p.Code {
	case sdk.CodeInvalid:
		return http.StatusBadRequest
	case sdk.CodeNotFound:
		return http.StatusNotFound
	case sdk.CodeConflict:
		return http.StatusConflict
	case sdk.CodeUnsupported:
		return http.StatusNotImplemented
	case sdk.CodeUnavailable:
		return http.StatusServiceUnavailable
	case sdk.CodeTimeout:
		return http.StatusGatewayTimeout
	}
	return http.StatusInternalServerError
}
