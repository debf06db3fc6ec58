package conformance

import (
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// crashing is a workload that ends a while after its start.
func (s *stage) crashing(policy sdk.RestartPolicy) sdk.Spec {
	spec := s.spec("flaky", "exit", "1")
	spec.Env = map[string]string{"EXIT_AFTER": "200ms"}
	spec.Restart = policy
	return spec
}

var restartChecks = []check{
	{
		name: "restart/none", level: Managed, needs: []ability{inspector},
		promise: "without a restart policy a container that ended stays ended",
		run: func(s *stage) {
			id := s.start(s.crashing(sdk.RestartPolicy{}))
			s.wantExit("crash", s.ended(id), 1)
			s.pause(10 * pollInterval)
			if state := s.inspect(id); !state.Ended() || state.Restarts != 0 {
				s.errorf("the container is %s after %d restarts", state.Status, state.Restarts)
			}
		},
	},
	{
		name: "restart/on-failure", level: Full, needs: []ability{inspector},
		promise: "with on-failure a container that failed is started again, as often as it is said",
		run: func(s *stage) {
			id := s.honoured(s.crashing(sdk.RestartPolicy{Mode: sdk.RestartOnFailure, MaxRetries: 2}), "restart")
			s.until("it was restarted twice and gave up", func() bool {
				state := s.inspect(id)
				return state.Restarts == 2 && state.Ended()
			})
		},
	},
	{
		name: "restart/on-success", level: Full, needs: []ability{inspector},
		promise: "with on-failure a container that succeeded isn't started again",
		run: func(s *stage) {
			spec := s.spec("job", "exit", "0")
			spec.Restart = sdk.RestartPolicy{Mode: sdk.RestartOnFailure}
			id := s.honoured(spec, "restart")
			s.ended(id)
			s.pause(10 * pollInterval)
			if state := s.inspect(id); !state.Ended() || state.Restarts != 0 {
				s.errorf("the container is %s after %d restarts", state.Status, state.Restarts)
			}
		},
	},
	{
		name: "restart/stop", level: Full, needs: []ability{inspector, logger},
		promise: "a container that is always restarted stays ended when it was stopped",
		run: func(s *stage) {
			spec := s.spec("web", "wait")
			spec.Restart = sdk.RestartPolicy{Mode: sdk.RestartAlways}
			id := s.honoured(spec, "restart")
			s.awaitLine(id, "waiting")
			s.must("stop", s.Runtime.Stop(s.ctx, id, longGrace))
			s.pause(25 * pollInterval)
			if state := s.inspect(id); !state.Ended() {
				s.errorf("the container is %s", state.Status)
			}
		},
	},
	{
		name: "restart/always", level: Full, needs: []ability{inspector},
		promise: "with always a container that ended is started again",
		run: func(s *stage) {
			s.restarted(s.honoured(s.crashing(sdk.RestartPolicy{Mode: sdk.RestartAlways}), "restart"))
		},
	},
	{
		name: "restart/count", level: Full, needs: []ability{inspector},
		promise: "Inspect tells how often a container was restarted",
		run: func(s *stage) {
			id := s.honoured(s.crashing(sdk.RestartPolicy{Mode: sdk.RestartAlways}), "restart")
			s.until("two restarts are counted", func() bool { return s.inspect(id).Restarts >= 2 })
		},
	},
	{
		name: "restart/set", level: Full, needs: []ability{inspector, restarter},
		promise: "SetRestart changes the policy of a container that is there, or is refused as unsupported",
		run:     restartSet,
	},
	{
		name: "restart/set-unknown", level: Full, needs: []ability{restarter},
		promise: "SetRestart fails with not_found for a container that isn't there",
		run: func(s *stage) {
			err := s.Runtime.(sdk.Restarter).SetRestart(s.ctx, s.project+"-never-was", sdk.RestartPolicy{})
			s.wantCode("set the policy", err, sdk.CodeNotFound)
		},
	},
}

// restarted waits until the container was started again, whether or not that is
// counted.
func (s *stage) restarted(id string) {
	var first time.Time
	s.until("it was restarted", func() bool {
		state := s.inspect(id)
		if first.IsZero() {
			first = state.StartedAt
		}
		return state.Restarts > 0 || state.StartedAt.After(first)
	})
}

func restartSet(s *stage) {
	spec := s.crashing(sdk.RestartPolicy{})
	// Time enough to change the policy before it ends.
	spec.Env["EXIT_AFTER"] = "2s"
	id := s.start(spec)
	err := s.Runtime.(sdk.Restarter).SetRestart(s.ctx, id, sdk.RestartPolicy{Mode: sdk.RestartAlways})
	if sdk.IsCode(err, sdk.CodeUnsupported) {
		s.ended(id) // and nothing else has become of it
		panic(refused{err.Error()})
	}
	s.must("set the policy", err)
	s.restarted(id)
	s.must("set the policy", s.Runtime.(sdk.Restarter).SetRestart(s.ctx, id, sdk.RestartPolicy{Mode: sdk.RestartNo}))
	s.ended(id)
	s.pause(25 * pollInterval)
	if state := s.inspect(id); !state.Ended() {
		s.errorf("the container is %s although it isn't to be restarted any more", state.Status)
	}
}
