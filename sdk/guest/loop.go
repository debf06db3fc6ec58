package guest

import (
	"context"
	"runtime"
	"sync"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk/abi"
	"github.com/lightshuttle/lightshuttle/sdk/guest/hostcall"
)

// The host can't wake a goroutine, and while the module waits in the host no
// goroutine runs and no timer fires. So a wait is cut into slices, which get
// longer while nothing happens.
const (
	shortestSlice = time.Millisecond
	longestSlice  = 20 * time.Millisecond
)

// poll is hostcall.Poll, or a test's.
type poll func(handles []int32, nanoseconds int64) int32

// loop waits for the handles of an operation, on behalf of all its goroutines,
// and for its cancellation.
type loop struct {
	poll   poll
	cancel context.CancelCauseFunc

	mu      sync.Mutex
	waiting []*waiter
	told    error
	// arrived has a value when waiting has got its first waiter.
	arrived chan struct{}
}

type waiter struct {
	handle int32
	ready  chan struct{}
}

// activity counts the calls of the host by the operation's goroutines. While it
// goes on, some of them may be ready to run, which a poll that waits would stop.
var activity uint

// current is the loop of the running operation; an instance runs one at a time.
var current *loop

// runLoop runs operation and returns when it has returned.
func runLoop(p poll, operation func(ctx context.Context)) *loop {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	l := &loop{poll: p, cancel: cancel, arrived: make(chan struct{}, 1)}
	current = l
	done := make(chan struct{})
	go func() {
		defer close(done)
		operation(ctx)
	}()
	l.run(done)
	return l
}

func (l *loop) run(done <-chan struct{}) {
	slice, seen := shortestSlice, activity
	for {
		// Let the others go on until all of them wait. A second round is for what
		// the first has woken.
		runtime.Gosched()
		runtime.Gosched()
		select {
		case <-done:
			return
		default:
		}
		handles := l.handles()
		if activity != seen {
			seen, slice = activity, shortestSlice
			l.look(handles, 0)
			continue
		}
		if len(handles) == 0 {
			l.idle(done, slice)
		}
		if l.look(handles, slice) {
			slice = shortestSlice
			continue
		}
		slice = min(2*slice, longestSlice)
	}
}

// idle waits in Go's own scheduler, where timers fire, while nothing waits for
// the host.
func (l *loop) idle(done <-chan struct{}, slice time.Duration) {
	timer := time.NewTimer(slice)
	defer timer.Stop()
	select {
	case <-done:
	case <-l.arrived:
	case <-timer.C:
	}
}

// look polls once and says whether something has happened. With no handles it
// only asks whether the operation has been cancelled.
func (l *loop) look(handles []int32, slice time.Duration) bool {
	if len(handles) == 0 {
		slice = 0
	}
	n := l.poll(handles, int64(slice))
	if n == 0 {
		return false
	}
	if n > 0 {
		return l.wake(handles)
	}
	if !l.tell(abi.Status(-n)) {
		// A handle that can't be waited for: whoever reads it learns why.
		return l.wake(l.handles())
	}
	return true
}

func (l *loop) handles() []int32 {
	l.mu.Lock()
	defer l.mu.Unlock()
	handles := make([]int32, 0, len(l.waiting))
	for _, w := range l.waiting {
		handles = append(handles, w.handle)
	}
	return handles
}

func (l *loop) wake(ready []int32) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	woken := false
	for _, handle := range ready {
		for i, w := range l.waiting {
			if handle == 0 || w.handle != handle {
				continue
			}
			close(w.ready)
			l.waiting = append(l.waiting[:i:i], l.waiting[i+1:]...)
			woken = true
			break
		}
	}
	return woken
}

// tell cancels the operation's context when status says that the operation is
// over, and says whether it does. The host says it once, to whoever calls.
func (l *loop) tell(status abi.Status) bool {
	var cause error
	switch status {
	case abi.Cancelled:
		cause = context.Canceled
	case abi.Timeout:
		cause = context.DeadlineExceeded
	default:
		return false
	}
	l.mu.Lock()
	if l.told == nil {
		l.told = cause
	}
	l.mu.Unlock()
	l.cancel(cause)
	return true
}

// wait waits until the handle is ready or ctx ends.
func (l *loop) wait(ctx context.Context, handle int32) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w := &waiter{handle: handle, ready: make(chan struct{})}
	l.mu.Lock()
	l.waiting = append(l.waiting, w)
	l.mu.Unlock()
	select {
	case l.arrived <- struct{}{}:
	default:
	}
	select {
	case <-w.ready:
		return nil
	case <-ctx.Done():
	}
	l.forget(w)
	return ctx.Err()
}

func (l *loop) forget(w *waiter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, other := range l.waiting {
		if other == w {
			l.waiting = append(l.waiting[:i:i], l.waiting[i+1:]...)
			return
		}
	}
}

// wait waits in the loop of the running operation, or, where there is none,
// stops the module.
func wait(ctx context.Context, handle int32) error {
	if current != nil {
		return current.wait(ctx, handle)
	}
	hostcall.Poll([]int32{handle}, -1)
	return ctx.Err()
}

// tell says to the running operation how a call has ended.
func tell(status abi.Status) {
	if current != nil {
		current.tell(status)
	}
}
