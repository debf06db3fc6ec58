package exitcode

import (
	"context"
	"errors"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// coded is an error whose exit code was decided where it happened.
type coded struct {
	code Code
	err  error
}

func (e *coded) Error() string { return e.err.Error() }
func (e *coded) Unwrap() error { return e.err }

// With gives err an exit code, whatever else is known about it. It returns nil
// for nil.
func With(code Code, err error) error {
	if err == nil {
		return nil
	}
	return &coded{code: code, err: err}
}

// Of returns the exit code for err: that of the outermost [With] in its tree,
// else the one that goes with its sdk.Code. Of several joined errors the first
// decides, since the first is the cause.
func Of(err error) int {
	if err == nil {
		return int(Done)
	}
	if e, ok := errors.AsType[*coded](err); ok {
		return int(e.code)
	}
	if _, ok := errors.AsType[*sdk.Error](err); ok || isOfContext(err) {
		return int(ofCode(sdk.CodeOf(err)))
	}
	return int(Wrong)
}

// isOfContext says whether err is one of the context's, which have an sdk.Code
// without being an sdk.Error.
func isOfContext(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

func ofCode(code sdk.Code) Code {
	switch code {
	case sdk.CodeInvalid, sdk.CodeUnsupported:
		// Unsupported is a field of the manifest that the runtime can't honour.
		return Wrong
	case sdk.CodeNotFound, sdk.CodeConflict, sdk.CodePortInUse,
		sdk.CodeImageNotFound, sdk.CodeBuildFailed, sdk.CodeUnauthorized,
		sdk.CodeExited, sdk.CodeUnhealthy:
		// Unauthorized is what a registry says about an image.
		return Resource
	case sdk.CodeTimeout:
		return Timeout
	case sdk.CodeCancelled:
		return Interrupted
	case sdk.CodeDenied:
		return Plugin
	default:
		// Unavailable, internal, and what a newer plugin may say.
		return Engine
	}
}
