package conformance

import (
	"context"
	"slices"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// cancellations is at how many points of a start its context is ended.
const cancellations = 12

var cancelChecks = []check{
	{
		name: "start/cancelled-before", level: Core,
		promise: "Start ends at once when its context has ended, and leaves nothing",
		run: func(s *stage) {
			spec := s.spec("web", "wait")
			s.must("prepare", s.prepare(spec))
			s.soon("start", func(ctx context.Context) error {
				_, err := s.begin(ctx, spec)
				return err
			}, nil)
			if left := s.left(); len(left) > 0 {
				s.errorf("the cancelled start left %v", left)
			}
		},
	},
	{
		name: "start/cancelled", level: Core,
		promise: "wherever its context ends, Start ends soon after and leaves nothing",
		run:     startCancelled,
	},
	{
		name: "start/outlives-context", level: Core,
		promise: "a container that was started goes on when the context of its start ends",
		run: func(s *stage) {
			ctx, cancel := context.WithCancel(s.ctx)
			id, err := s.try(ctx, s.spec("web", "wait"))
			cancel()
			s.must("start", err)
			s.pause(200 * time.Millisecond)
			s.stillRuns(id)
		},
	},
}

// startCancelled measures a start, and then ends its context at points all
// along that time.
func startCancelled(s *stage) {
	spec := s.spec("web", "wait")
	s.must("prepare", s.prepare(spec))
	began := time.Now()
	id := s.start(spec)
	took := time.Since(began)
	s.end(id)
	for i := range cancellations {
		ctx, cancel := context.WithTimeout(s.ctx, took*time.Duration(i)/cancellations)
		returned := make(chan struct{})
		context.AfterFunc(ctx, func() {
			timer := time.NewTimer(s.Soon)
			defer timer.Stop()
			select {
			case <-returned:
			case <-timer.C:
				s.errorf("start doesn't return %s after its context has ended", s.Soon)
			}
		})
		id, err := s.begin(ctx, spec)
		close(returned)
		cancel()
		if err == nil {
			s.end(id)
			continue
		}
		s.wantContextError("start", err, context.DeadlineExceeded)
		if slices.Contains(s.left(), "container "+spec.Name) {
			s.fail("a start whose context ended after %d/%d of its time left a container", i, cancellations)
		}
	}
}

// end stops a container and removes it, so that its name is free again.
func (s *stage) end(id string) {
	s.must("stop", s.Runtime.Stop(s.ctx, id, 0))
	if r, ok := s.Runtime.(sdk.Remover); ok {
		s.must("remove", r.Remove(s.ctx, id))
	}
}
