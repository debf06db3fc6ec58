package guest

import (
	"context"
	"encoding/json"
	"errors"
	"io"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
	"github.com/lightshuttle/lightshuttle/sdk/enginelog"
	"github.com/lightshuttle/lightshuttle/sdk/guest/hostcall"
)

// ForwardLog lets the host take apart what a log command prints and give it to
// who called Logs, and waits until that is done. It is the enginelog.Take of
// modules, and much faster than a sink in here.
func ForwardLog(ctx context.Context, p sdk.Process, wanted enginelog.Wanted) (enginelog.End, error) {
	stdout, outErr := handleOf(p.Stdout())
	stderr, errErr := handleOf(p.Stderr())
	if err := errors.Join(outErr, errErr); err != nil {
		return enginelog.End{}, err
	}
	return forwardLog(ctx, abi.LogRequest{Stdout: stdout, Stderr: stderr, Wanted: wanted})
}

// ForwardFrames is ForwardLog for a response's body in Docker's frames, each of
// which begins with a time.
func ForwardFrames(ctx context.Context, body io.Reader, wanted enginelog.Wanted) (enginelog.End, error) {
	frames, err := handleOf(body)
	if err != nil || frames == 0 {
		return enginelog.End{}, err
	}
	return forwardLog(ctx, abi.LogRequest{Frames: frames, Wanted: wanted})
}

// While the host works on it, nothing of the module runs: the operation only
// waits for this.
func forwardLog(ctx context.Context, request abi.LogRequest) (enginelog.End, error) {
	document, err := json.Marshal(request)
	if err != nil {
		return enginelog.End{}, err
	}
	if err := ctx.Err(); err != nil {
		return enginelog.End{}, err
	}
	var end enginelog.End
	err = call(ctx, "logs", &end, func() int32 { return hostcall.LogForward(document) })
	return end, err
}

// handleOf is the handle of a stream that a [Host] gave.
func handleOf(r io.Reader) (abi.Handle, error) {
	s, ok := r.(*stream)
	if !ok {
		return 0, &sdk.Error{Code: sdk.CodeInternal, Op: "forward", Err: errors.New("not a stream of the host")}
	}
	return abi.Handle(s.handle), nil
}
