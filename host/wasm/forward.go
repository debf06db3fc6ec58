package wasm

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
	"github.com/lightshuttle/lightshuttle/sdk/enginelog"
)

// errReceiver says that who receives the output has failed; call.outErr is the
// reason.
var errReceiver = errors.New("the receiver of the output has gone")

// send gives output to who called the operation. Guest and pumps may call it at
// the same time.
func (c *call) send(kind sdk.Stream, at time.Time, data []byte) error {
	c.outMu.Lock()
	defer c.outMu.Unlock()
	if c.outErr != nil {
		return errReceiver
	}
	if c.invocation.Output == nil {
		return nil
	}
	if err := c.invocation.Output(sdk.LogEntry{Stream: kind, Time: at, Data: data}); err != nil {
		c.outErr = err
		c.cancelSoft(err)
		return errReceiver
	}
	return nil
}

// forward begins to give all of a stream to who called the operation.
func (c *call) forward(s *stream, kind int32) {
	s.mu.Lock()
	s.forwarded = true
	s.mu.Unlock()
	c.pumps.Go(func() {
		err := c.copyOut(s, kind)
		s.mu.Lock()
		s.closed = true
		s.mu.Unlock()
		offer(s.room)
		if s.close != nil {
			s.close()
		}
		if err != nil && !errors.Is(err, errReceiver) {
			if err = sdk.Errorf(sdk.CodeInternal, string(c.op), "forward a stream: %w", err); c.soft.Err() != nil {
				err = context.Cause(c.soft)
			}
			c.outMu.Lock()
			c.pumpErr = cmp.Or(c.pumpErr, err)
			c.outMu.Unlock()
		}
		s.notify()
	})
}

func (c *call) copyOut(s *stream, kind int32) error {
	stamped := kind&abi.StreamTimestamps != 0
	switch kind &^ abi.StreamTimestamps {
	case abi.StreamDocker:
		return enginelog.Frames(s, stamped, func(entry sdk.LogEntry) error { return c.send(entry.Stream, entry.Time, entry.Data) })
	case abi.StreamStderr:
		return c.copyPlain(s, c.sender(sdk.Stderr, stamped))
	}
	return c.copyPlain(s, c.sender(sdk.Stdout, stamped))
}

// sender sends the pieces of one stream, lines with their times if they have
// some.
func (c *call) sender(kind sdk.Stream, stamped bool) interface {
	io.Writer
	flush() error
} {
	if stamped {
		return &lines{call: c, kind: kind}
	}
	return &pieces{call: c, kind: kind}
}

type pieces struct {
	call *call
	kind sdk.Stream
}

func (p *pieces) Write(data []byte) (int, error) {
	return len(data), p.call.send(p.kind, time.Now(), data)
}

func (p *pieces) flush() error { return nil }

// lines takes the times off the lines. A line that never ends comes in pieces.
type lines struct {
	call *call
	kind sdk.Stream
	part []byte
	at   time.Time
	// begun says that the time of the line has been taken off.
	begun bool
}

const longestPart = 64 << 10

func (l *lines) Write(data []byte) (int, error) {
	l.part = append(l.part, data...)
	for {
		end := bytes.IndexByte(l.part, '\n')
		if end < 0 {
			break
		}
		if err := l.send(l.part[:end+1]); err != nil {
			return 0, err
		}
		l.part, l.begun = l.part[end+1:], false
	}
	if len(l.part) > longestPart {
		if err := l.send(l.part); err != nil {
			return 0, err
		}
		l.part, l.begun = l.part[:0], true
	}
	// What is left goes to the front, so that the buffer doesn't grow.
	l.part = append([]byte(nil), l.part...)
	return len(data), nil
}

func (l *lines) send(line []byte) error {
	if !l.begun {
		at, rest, found := enginelog.CutTime(line)
		if l.at, line = at, rest; !found {
			l.at = time.Now()
		}
	}
	return l.call.send(l.kind, l.at, line)
}

func (l *lines) flush() error {
	if len(l.part) == 0 {
		return nil
	}
	return l.send(l.part)
}

func (c *call) copyPlain(s *stream, to interface {
	io.Writer
	flush() error
},
) error {
	chunk := make([]byte, 64<<10)
	for {
		n, err := s.Read(chunk)
		if n > 0 {
			if _, err := to.Write(chunk[:n]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return to.flush()
		}
		if err != nil {
			return errors.Join(err, to.flush())
		}
	}
}

// forwardAll waits until all that is forwarded has arrived, or says why that
// can't be waited for.
func (c *call) forwardAll() error {
	for {
		busy := false
		for _, x := range c.handles.open {
			if s, ok := x.(*stream); ok && s.forwarded && !s.ready() {
				busy = true
			}
		}
		if !busy {
			return nil
		}
		select {
		case <-c.wake:
		case <-c.soft.Done():
			return context.Cause(c.soft)
		}
	}
}
