package guest

import (
	"context"
	"io"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
	"github.com/lightshuttle/lightshuttle/sdk/guest/hostcall"
)

// stream reads a handle. Its reads end with ctx.
type stream struct {
	ctx    context.Context //nolint:containedctx // io.Reader has no place for one
	handle int32
}

func newStream(ctx context.Context, handle abi.Handle) *stream {
	return &stream{ctx: ctx, handle: int32(handle)}
}

func (s *stream) Read(buf []byte) (int, error) {
	if s.handle == 0 {
		return 0, io.EOF
	}
	if len(buf) == 0 {
		return 0, nil
	}
	n, err := s.read(buf)
	if over(s.ctx, err) {
		return s.read(buf)
	}
	return n, err
}

func (s *stream) read(buf []byte) (int, error) {
	if err := wait(s.ctx, s.handle); err != nil {
		return 0, err
	}
	activity++
	n := hostcall.Read(s.handle, buf)
	if n > 0 {
		return int(n), nil
	}
	if n == 0 {
		return 0, io.EOF
	}
	return 0, failed(s.ctx, "read", abi.Status(-n), nil)
}

func (s *stream) Close() error {
	if s.handle != 0 {
		hostcall.Close(s.handle)
		s.handle = 0
	}
	return nil
}

// StreamKind says what a stream holds.
type StreamKind int32

// The kinds of streams that can be forwarded.
const (
	StreamStdout = StreamKind(abi.StreamStdout)
	StreamStderr = StreamKind(abi.StreamStderr)
	// StreamDocker holds both, in Docker's frames.
	StreamDocker = StreamKind(abi.StreamDocker)
	// StreamTimestamps is added when each line begins with a time and a space.
	StreamTimestamps = StreamKind(abi.StreamTimestamps)
)

// Forward lets the host give all that r still has to who called Logs or Exec,
// and waits until that is done. It is much faster than reading r and calling
// the sink, and only for streams that a [Host] gave: the body of a response or
// an output of a process.
func Forward(ctx context.Context, r io.Reader, kind StreamKind) error {
	handle, err := handleOf(r)
	if err != nil || handle == 0 {
		return err
	}
	if status := abi.Status(hostcall.StreamForward(int32(handle), int32(kind))); status != abi.OK {
		return failed(ctx, "forward", status, nil)
	}
	return wait(ctx, int32(handle))
}

// output writes to who called the operation.
type output struct {
	ctx  context.Context //nolint:containedctx // io.Writer has no place for one
	kind int32
}

func (o output) Write(data []byte) (int, error) {
	if err := o.write(0, data); err != nil {
		return 0, err
	}
	return len(data), nil
}

func (o output) write(time int64, data []byte) error {
	activity++
	if status := abi.Status(hostcall.StreamWrite(o.kind, time, data)); status != abi.OK {
		return failed(o.ctx, "output", status, nil)
	}
	return nil
}

// Stdout and Stderr are the caller's streams, for operations that print.
func Stdout(ctx context.Context) io.Writer { return output{ctx, abi.StreamStdout} }

// Stderr is like [Stdout].
func Stderr(ctx context.Context) io.Writer { return output{ctx, abi.StreamStderr} }

// WriteLog gives a piece of a container's log to the caller.
func WriteLog(ctx context.Context, entry sdk.LogEntry) error {
	kind := int32(abi.StreamStdout)
	if entry.Stream == sdk.Stderr {
		kind = abi.StreamStderr
	}
	var time int64
	if !entry.Time.IsZero() {
		time = entry.Time.UnixNano()
	}
	return output{ctx, kind}.write(time, entry.Data)
}
