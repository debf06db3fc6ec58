package wasm

import (
	"context"
	"io"
	"sync"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

// handle is something that the host keeps open for a call.
type handle interface {
	// ready says whether what waits for it returns at once.
	ready() bool
	shut()
}

// handles are those of one call. Only the goroutine of the guest uses them.
type handles struct {
	call *call
	open map[abi.Handle]handle
	last abi.Handle
}

// room says whether n more fit.
func (h *handles) room(n int) bool { return len(h.open)+n <= abi.MaxHandles }

// mostHandles bounds how many a call may open in all.
const mostHandles = 1 << 30

func (h *handles) add(x handle) abi.Handle {
	if h.open == nil {
		h.open = map[abi.Handle]handle{}
	}
	if h.last >= mostHandles {
		panic(&fault{Limit, "it opened more handles than there are numbers"})
	}
	h.last++
	h.open[h.last] = x
	return h.last
}

func (h *handles) remove(number abi.Handle) {
	x := h.open[number]
	delete(h.open, number)
	if x != nil {
		x.shut()
	}
}

// closeAll ends all that is open, at the same time: a process may take a moment
// to die.
func (h *handles) closeAll() {
	var all sync.WaitGroup
	for _, x := range h.open {
		all.Go(x.shut)
	}
	all.Wait()
	h.open = nil
}

// processes counts the programs that run.
func (h *handles) processes() int {
	n := 0
	for _, x := range h.open {
		if p, ok := x.(*program); ok && !p.ready() {
			n++
		}
	}
	return n
}

// addStream makes a handle of a reader; data may be read ahead from now on.
func (c *call) addStream(ctx context.Context, source io.Reader, closeSource func()) (abi.Handle, *stream) {
	s := newStream(ctx, source, closeSource, func() { offer(c.wake) })
	c.pumps.Go(s.pump)
	return c.handles.add(s), s
}

// addBytes makes a handle of what is there already; 0 for nothing.
func (c *call) addBytes(data []byte) abi.Handle {
	if len(data) == 0 {
		return 0
	}
	s := newStream(c.hard, nil, nil, func() {})
	s.buf, s.end = data, io.EOF
	return c.handles.add(s)
}

// program is a process as a handle.
type program struct {
	process sdk.Process
	ctx     context.Context //nolint:containedctx // its end explains how the program ended
	done    chan struct{}
	code    int
	err     error
}

func (p *program) ready() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

func (p *program) shut() { _ = p.process.Close() }

// addProgram makes handles of a process and of its outputs.
func (c *call) addProgram(ctx context.Context, process sdk.Process, cancel func()) abi.SpawnResult {
	p := &program{process: process, ctx: ctx, done: make(chan struct{})}
	var result abi.SpawnResult
	var reading sync.WaitGroup
	attach := func(r io.Reader) abi.Handle {
		s := newStream(ctx, r, nil, func() { offer(c.wake) })
		reading.Go(s.pump)
		return c.handles.add(s)
	}
	result.Stdout, result.Stderr = attach(process.Stdout()), attach(process.Stderr())
	result.Process = c.handles.add(p)
	c.pumps.Go(func() {
		reading.Wait()
		p.code, p.err = process.Wait()
		defer cancel()
		close(p.done)
		offer(c.wake)
	})
	return result
}
