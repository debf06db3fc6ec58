package fake

import (
	"context"
	"slices"
	"time"
)

// Call is one operation on the fake, for tests of order and overlap.
type Call struct {
	Op       string
	Resource string
	Began    time.Time
	Ended    time.Time
	Err      error
}

// Calls returns the operations so far, in the order in which they began.
func (r *Runtime) Calls() []Call {
	r.mu.Lock()
	defer r.mu.Unlock()
	calls := slices.Clone(r.calls)
	slices.SortStableFunc(calls, func(a, b Call) int { return a.Began.Compare(b.Began) })
	return calls
}

// CallsOf returns the calls of one operation on one resource.
func (r *Runtime) CallsOf(op, resource string) []Call {
	return slices.DeleteFunc(r.Calls(), func(c Call) bool { return c.Op != op || c.Resource != resource })
}

// record notes a call; the returned function notes its end.
func (r *Runtime) record(op, resource string) func(error) {
	if !r.recording {
		return func(error) {}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	at := len(r.calls)
	r.calls = append(r.calls, Call{Op: op, Resource: resource, Began: time.Now()})
	return func(err error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.calls[at].Ended = time.Now()
		r.calls[at].Err = err
	}
}

// play runs the phase of one operation.
func (r *Runtime) play(ctx context.Context, op, resource string, phase Phase) (err error) {
	ended := r.record(op, resource)
	defer func() { ended(err) }()
	return phase.play(ctx)
}

// WithoutRecord makes the fake forget its calls.
func (r *Runtime) WithoutRecord() *Runtime {
	r.recording = false
	return r
}
