package sdk

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Code classifies an error, for people and for programs.
type Code string

// The codes of errors.
const (
	CodeInvalid       Code = "invalid"
	CodeNotFound      Code = "not_found"
	CodeConflict      Code = "conflict"
	CodePortInUse     Code = "port_in_use"
	CodeImageNotFound Code = "image_not_found"
	CodeBuildFailed   Code = "build_failed"
	CodeUnauthorized  Code = "unauthorized"
	CodeUnavailable   Code = "unavailable"
	CodeUnsupported   Code = "unsupported"
	CodeTimeout       Code = "timeout"
	CodeCancelled     Code = "cancelled"
	CodeDenied        Code = "denied"
	// CodeExited says that a container ended which should have gone on.
	CodeExited Code = "exited"
	// CodeUnhealthy says that a healthcheck used up its retries.
	CodeUnhealthy Code = "unhealthy"
	CodeInternal  Code = "internal"
)

// Error is an error with a code, what was being done to which resource, and
// what to do next.
type Error struct {
	Code Code
	// Op is the operation that failed, such as "pull" or "start".
	Op string
	// Resource is the manifest's name of what failed; may be empty.
	Resource string
	// Err says what went wrong, without repeating Op or Resource.
	Err error
	// Hint says what to do about it; may be empty.
	Hint string
	// ExitCode is the container's exit code, with CodeExited.
	ExitCode int
	// Output is what the failing program printed last; may be empty.
	Output string
}

// Errorf returns an Error whose Err is made by fmt.Errorf, so that %w works.
func Errorf(code Code, op, format string, args ...any) *Error {
	return &Error{Code: code, Op: op, Err: fmt.Errorf(format, args...)}
}

// Error formats e on one line, as "resource: op: what went wrong".
func (e *Error) Error() string {
	parts := make([]string, 0, 3)
	for _, part := range []string{e.Resource, e.Op, e.Reason()} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ": ")
}

// Reason is what went wrong, without operation and resource.
func (e *Error) Reason() string {
	if e.Err == nil {
		return strings.ReplaceAll(string(e.Code), "_", " ")
	}
	return e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// CodeOf returns the code of err: that of the outermost [Error] in its chain,
// CodeTimeout or CodeCancelled for the context's errors, else CodeInternal.
// It returns "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return CodeTimeout
	}
	if errors.Is(err, context.Canceled) {
		return CodeCancelled
	}
	return CodeInternal
}

// IsCode says whether err has the code.
func IsCode(err error, code Code) bool { return CodeOf(err) == code }
