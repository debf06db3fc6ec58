package conformance

import (
	"context"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/conformance/workload"
)

// longGrace is a grace period that no container here uses up.
const longGrace = 30 * time.Second

var stopChecks = []check{
	{
		name: "stop/ends", level: Core,
		promise: "Stop ends the container",
		run: func(s *stage) {
			id := s.start(s.spec("web", "wait"))
			s.must("stop", s.Runtime.Stop(s.ctx, id, longGrace))
			_, err := s.Runtime.WaitHealthy(s.ctx, id, nil)
			s.wantCode("wait for it after its stop", err, sdk.CodeExited, sdk.CodeNotFound)
		},
	},
	{
		name: "stop/twice", level: Core,
		promise: "stopping a container that was stopped is a success",
		run: func(s *stage) {
			id := s.start(s.spec("web", "wait"))
			s.must("stop", s.Runtime.Stop(s.ctx, id, longGrace))
			s.must("stop again", s.Runtime.Stop(s.ctx, id, longGrace))
		},
	},
	{
		name: "stop/ended", level: Core,
		promise: "stopping a container that has ended by itself is a success",
		run: func(s *stage) {
			id := s.start(s.spec("job", "exit", "0"))
			s.endedCore(id)
			s.must("stop what has ended", s.Runtime.Stop(s.ctx, id, longGrace))
		},
	},
	{
		name: "stop/unknown", level: Core,
		promise: "stopping a container that is gone is a success",
		run: func(s *stage) {
			s.must("stop what never was", s.Runtime.Stop(s.ctx, s.project+"-never-was", longGrace))
		},
	},
	{
		name: "stop/removed", level: Managed, needs: []ability{remover},
		promise: "stopping a container that was removed is a success",
		run: func(s *stage) {
			id := s.start(s.spec("web", "wait"))
			s.must("remove", s.remove(s.ctx, id))
			s.must("stop what was removed", s.Runtime.Stop(s.ctx, id, longGrace))
		},
	},
	{
		name: "stop/together", level: Core,
		promise: "a container may be stopped by several at the same time, and all succeed",
		run: func(s *stage) {
			id := s.start(s.spec("web", "wait"))
			s.allMust("stop", together(3, func(int) error { return s.Runtime.Stop(s.ctx, id, longGrace) }))
		},
	},
	{
		name: "stop/only-it", level: Core,
		promise: "Stop leaves the other containers alone",
		run: func(s *stage) {
			one, other := s.start(s.spec("one", "wait")), s.start(s.spec("other", "wait"))
			s.must("stop", s.Runtime.Stop(s.ctx, one, longGrace))
			s.stillRuns(other)
		},
	},
	{
		name: "stop/graceful", level: Managed, needs: []ability{inspector, logger},
		promise: "Stop asks the container to end, so that it can end by itself with its own exit code",
		run: func(s *stage) {
			s.stopped("signals", nil, longGrace, workload.SignalCode(workload.Signals["SIGTERM"]))
		},
	},
	{
		name: "stop/signal", level: Managed, needs: []ability{inspector, logger},
		promise: "Stop sends the spec's stop signal",
		run: func(s *stage) {
			for _, signal := range []string{"SIGINT", "SIGUSR1"} {
				s.stopped("signals", func(spec *sdk.Spec) {
					spec.Stop.Signal = signal
					spec.Resource += signal
					spec.Name += signal
				}, longGrace, workload.SignalCode(workload.Signals[signal]))
			}
		},
	},
	{
		name: "stop/waits", level: Managed, needs: []ability{inspector, logger},
		promise: "Stop lets a container end in its own time within the grace period, and returns when it has",
		run: func(s *stage) {
			s.tookAtLeast("stop", time.Second, func() { s.stopped("linger 1s", nil, longGrace, 0) })
		},
	},
	{
		name: "stop/kills", level: Managed, needs: []ability{inspector, logger},
		promise: "a container that ignores the signal is killed when the grace period is over, not before",
		run: func(s *stage) {
			s.tookAtLeast("stop", time.Second, func() { s.stopped("stubborn", nil, time.Second, 137) })
		},
	},
	{
		name: "stop/short-grace", level: Managed, needs: []ability{inspector, logger},
		promise: "a grace under a second is never rounded down to zero",
		run: func(s *stage) {
			s.stopped("linger 100ms", nil, 900*time.Millisecond, 0)
		},
	},
	{
		name: "stop/no-grace", level: Managed, needs: []ability{inspector, logger},
		promise: "a grace of zero kills at once",
		run: func(s *stage) {
			// It would end by itself within the ten seconds that engines give by
			// default.
			s.stopped("linger 9s", nil, 0, 137)
		},
	},
	{
		name: "stop/cancelled", level: Managed, needs: []ability{logger},
		promise: "Stop ends soon after its context does, however long the grace",
		run: func(s *stage) {
			id := s.start(s.spec("web", "stubborn"))
			s.awaitLine(id, "stubborn")
			s.soon("stop", func(ctx context.Context) error {
				return s.Runtime.Stop(ctx, id, time.Hour)
			}, s.after(300*time.Millisecond))
			s.must("stop it for good", s.Runtime.Stop(s.ctx, id, 0))
		},
	},
	{
		name: "stop/cancelled-before", level: Core,
		promise: "Stop ends at once when its context has ended, with an error that wraps the context's",
		run: func(s *stage) {
			id := s.start(s.spec("web", "wait"))
			s.soon("stop", func(ctx context.Context) error { return s.Runtime.Stop(ctx, id, longGrace) }, nil)
		},
	},
	{
		name: "stop/paused", level: Full, needs: []ability{inspector, pausing},
		promise: "Stop ends a container that is paused",
		run: func(s *stage) {
			id := s.start(s.spec("web", "wait"))
			s.must("pause", s.Outside.Pause(s.ctx, id))
			s.must("stop", s.Runtime.Stop(s.ctx, id, 5*time.Second))
			if state := s.inspect(id); !state.Ended() {
				s.errorf("the container is %s", state.Status)
			}
		},
	},
}

// stopped starts a workload, waits until it handles signals, stops it, and
// checks its exit code.
func (s *stage) stopped(work string, change func(*sdk.Spec), grace time.Duration, code int) {
	args := splitArgs(work)
	spec := s.spec("web", args...)
	if change != nil {
		change(&spec)
	}
	id := s.honoured(spec, "stop", "signal")
	s.awaitLine(id, firstLine[args[0]])
	s.must("stop", s.Runtime.Stop(s.ctx, id, grace))
	s.wantExit("stop a container that runs `"+work+"`", s.inspect(id), code)
}

// firstLine is what a workload prints when it handles signals.
var firstLine = map[string]string{"signals": "listening", "linger": "lingering", "stubborn": "stubborn", "wait": "waiting"}

// endedCore waits for a container's end with nothing but the core.
func (s *stage) endedCore(id string) {
	s.until("the container has ended", func() bool {
		_, err := s.Runtime.WaitHealthy(s.ctx, id, nil)
		if err != nil && !sdk.IsCode(err, sdk.CodeExited) {
			s.fail("wait for the end: %s", describe(err))
		}
		return err != nil
	})
}
