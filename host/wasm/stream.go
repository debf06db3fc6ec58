package wasm

import (
	"cmp"
	"context"
	"errors"
	"io"
	"sync"
)

// stream is something to read, with a goroutine that reads ahead: so it is
// always known whether a read would wait.
type stream struct {
	// ctx is that of the call that opened it; its end explains a read that fails.
	ctx    context.Context //nolint:containedctx // it belongs to the stream
	source io.Reader
	// close ends the source, and with it a read that waits.
	close func()
	wake  func()

	mu        sync.Mutex
	buf       []byte
	at        int
	end       error // why there is no more; io.EOF at the end
	closed    bool
	forwarded bool
	changed   chan struct{} // has a value when there is something for the pump of a forward
	room      chan struct{} // has a value when there is room
}

func newStream(ctx context.Context, source io.Reader, closeSource, wake func()) *stream {
	return &stream{
		ctx: ctx, source: source, close: closeSource, wake: wake,
		changed: make(chan struct{}, 1), room: make(chan struct{}, 1),
	}
}

// pump reads ahead until the end. It also returns when the source is closed.
func (s *stream) pump() {
	chunk := make([]byte, 32<<10)
	for {
		n, err := s.source.Read(chunk)
		if !s.push(chunk[:n]) {
			// Nobody reads it, but who writes it must not wait for ever.
			_, err = io.Copy(io.Discard, s.source)
			err = cmp.Or(err, io.EOF)
		}
		if err == nil {
			continue
		}
		if s.ctx.Err() != nil {
			err = s.ctx.Err()
		}
		s.mu.Lock()
		s.end = err
		s.mu.Unlock()
		s.notify()
		return
	}
}

// push waits for room and adds data. It says false when nobody wants it.
func (s *stream) push(data []byte) bool {
	for {
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			return false
		}
		if len(s.buf)-s.at < streamBuffer {
			s.add(data)
			s.mu.Unlock()
			if len(data) > 0 {
				s.notify()
			}
			return true
		}
		s.mu.Unlock()
		<-s.room
	}
}

// add appends data. What has been read goes first, so that the buffer stays as
// small as what waits in it.
func (s *stream) add(data []byte) {
	if s.at > 0 && len(s.buf)+len(data) > cap(s.buf) {
		s.buf, s.at = s.buf[:copy(s.buf, s.buf[s.at:])], 0
	}
	s.buf = append(s.buf, data...)
}

func (s *stream) notify() {
	offer(s.changed)
	s.wake()
}

func offer(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// read takes what is there: n > 0 bytes, or the reason why there are no more, or
// neither, when it would have to wait.
func (s *stream) read(p []byte) (n int, end error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n = copy(p, s.buf[s.at:])
	s.at += n
	if s.at == len(s.buf) {
		s.buf, s.at = s.buf[:0], 0
	}
	if n > 0 {
		offer(s.room)
		return n, nil
	}
	if s.closed {
		return 0, io.EOF
	}
	return 0, s.end
}

// ready says whether a read returns at once; for a stream that is forwarded,
// whether all of it is.
func (s *stream) ready() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.forwarded {
		return s.closed
	}
	return s.at < len(s.buf) || s.end != nil || s.closed
}

// shut ends the stream; a read of it that waits returns.
func (s *stream) shut() {
	s.mu.Lock()
	already := s.closed
	s.closed = true
	s.mu.Unlock()
	if already {
		return
	}
	offer(s.room)
	if s.close != nil {
		s.close()
	}
	s.notify()
}

// Read implements io.Reader for who forwards the stream.
func (s *stream) Read(p []byte) (int, error) {
	for {
		n, err := s.read(p)
		if n > 0 || err != nil {
			return n, err
		}
		<-s.changed
	}
}

// ended says whether err only says that a context has ended.
func ended(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
