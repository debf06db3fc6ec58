package abi

import (
	"errors"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Error is the document beside a status that isn't OK: an sdk.Error without its
// code, which is the status. All of it may be missing.
type Error struct {
	// Message says what went wrong, without operation and resource.
	Message  string `json:"message,omitempty"`
	Op       string `json:"op,omitempty"`
	Resource string `json:"resource,omitempty"`
	Hint     string `json:"hint,omitempty"`
	ExitCode int    `json:"exit_code,omitempty"`
	Output   string `json:"output,omitempty"`
}

// FromError returns how err crosses. An error that isn't an sdk.Error keeps its
// text; nil is OK.
func FromError(err error) (Status, Error) {
	if err == nil {
		return OK, Error{}
	}
	status := StatusOf(sdk.CodeOf(err))
	e, ok := errors.AsType[*sdk.Error](err)
	if !ok {
		return status, Error{Message: err.Error()}
	}
	d := Error{Op: e.Op, Resource: e.Resource, Hint: e.Hint, ExitCode: e.ExitCode, Output: e.Output}
	if e.Err != nil {
		d.Message = e.Err.Error()
	}
	return status, d
}

// Err returns what crossed as an error. Its cause is what happened on this side,
// such as the error of a context that has ended, and may be nil. It returns nil
// for OK.
func (d Error) Err(status Status, cause error) error {
	if status == OK {
		return nil
	}
	e := &sdk.Error{Code: status.Code(), Op: d.Op, Resource: d.Resource, Hint: d.Hint, ExitCode: d.ExitCode, Output: d.Output}
	switch {
	case d.Message == "":
		e.Err = cause
	case cause == nil:
		e.Err = errors.New(d.Message)
	default:
		e.Err = &crossed{message: d.Message, cause: cause}
	}
	return e
}

// crossed has the text of the other side and the cause of this one.
type crossed struct {
	message string
	cause   error
}

func (c *crossed) Error() string { return c.message }
func (c *crossed) Unwrap() error { return c.cause }
