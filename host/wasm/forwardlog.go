package wasm

import (
	"errors"
	"io"
	"strings"
	"time"

	"github.com/tetratelabs/wazero/api"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
	"github.com/lightshuttle/lightshuttle/sdk/enginelog"
)

func logForward(c *call, m api.Module, stack []uint64) { put(stack, c.logForward(m, stack)) }

// logForward takes an engine's log apart and gives it to who called the
// operation, while the guest waits.
func (c *call) logForward(m api.Module, stack []uint64) abi.Status {
	c.result = nil
	if length(stack[1]) > documentSize {
		return c.refuse(&limitError{"the request is too big"})
	}
	var request abi.LogRequest
	if err := understand(view(m, stack[0], stack[1]), &request); err != nil {
		return c.refuse(err)
	}
	log, status := c.openLog(request)
	if status != abi.OK {
		return status
	}
	ctx, status := c.waiting()
	if status != abi.OK {
		return status
	}
	var end enginelog.End
	var err error
	done := make(chan struct{})
	c.pumps.Go(func() {
		end, err = log.read(request.Wanted, c.give)
		log.shut()
		close(done)
		offer(c.wake)
	})
	status = c.ready(ctx, -1, func() bool {
		select {
		case <-done:
			return true
		default:
			return false
		}
	})
	switch {
	case status != abi.OK:
		return status
	case errors.Is(err, errReceiver):
		return c.tell()
	case ended(err):
		return c.ioStatus(ctx, err)
	case err != nil:
		return c.refuse(sdk.Errorf(sdk.CodeInternal, string(c.op), "read the log: %w", err))
	}
	return c.answer(end)
}

// give sends a piece of a log to who called the operation.
func (c *call) give(entry sdk.LogEntry) error {
	if entry.Time.IsZero() {
		entry.Time = time.Now()
	}
	return c.send(entry.Stream, entry.Time, entry.Data)
}

// openedLog are the streams of a log.
type openedLog struct{ frames, stdout, stderr *stream }

var _ enginelog.Output = openedLog{}

// openLog finds the streams of a log, which the guest then can't use any more.
func (c *call) openLog(request abi.LogRequest) (openedLog, abi.Status) {
	var log openedLog
	if request.Stdout == request.Stderr && request.Stdout != 0 || request.Frames != 0 && request.Stdout|request.Stderr != 0 {
		return log, abi.BadHandle
	}
	for number, to := range map[abi.Handle]**stream{request.Frames: &log.frames, request.Stdout: &log.stdout, request.Stderr: &log.stderr} {
		if number == 0 {
			continue
		}
		s, ok := c.handles.open[number].(*stream)
		if !ok || s.forwarded {
			return log, abi.BadHandle
		}
		*to = s
	}
	for _, s := range log.streams() {
		s.mu.Lock()
		s.forwarded = true
		s.mu.Unlock()
	}
	return log, abi.OK
}

func (l openedLog) streams() []*stream {
	var list []*stream
	for _, s := range []*stream{l.frames, l.stdout, l.stderr} {
		if s != nil {
			list = append(list, s)
		}
	}
	return list
}

func (l openedLog) read(wanted enginelog.Wanted, give func(sdk.LogEntry) error) (enginelog.End, error) {
	if l.frames == nil {
		return enginelog.Lines(l, wanted, give)
	}
	sink, place := wanted.Sink(give)
	err := enginelog.Frames(l.frames, true, sink)
	return enginelog.End{Place: *place}, err
}

func (l openedLog) shut() {
	for _, s := range l.streams() {
		s.shut()
	}
}

// Stdout, Stderr and Kill implement enginelog.Output.
func (l openedLog) Stdout() io.Reader { return reader(l.stdout) }

// Stderr is like Stdout.
func (l openedLog) Stderr() io.Reader { return reader(l.stderr) }

// Kill ends the reading. The command itself ends with its handle.
func (l openedLog) Kill(bool) error {
	l.shut()
	return nil
}

// reader reads a stream; one that isn't there is empty.
func reader(s *stream) io.Reader {
	if s == nil {
		return strings.NewReader("")
	}
	return s
}
