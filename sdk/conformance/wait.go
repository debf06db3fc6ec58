package conformance

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

func ms(n int) sdk.Duration { return sdk.Duration(time.Duration(n) * time.Millisecond) }

// running is a healthcheck that runs the test program inside of the container.
func (s *stage) running(args ...string) *sdk.Healthcheck {
	return &sdk.Healthcheck{
		Test: append(append([]string{}, s.Program...), args...), Interval: ms(1000), Timeout: ms(10_000), Retries: 30, StartInterval: ms(50),
	}
}

// guardedBy starts a workload with a healthcheck of its own.
func (s *stage) guardedBy(check *sdk.Healthcheck, args ...string) string {
	spec := s.spec("web", args...)
	spec.Healthcheck = check
	return s.honoured(spec, "health")
}

// waited waits for health; a runtime may refuse the kind of check.
func (s *stage) waited(id string, check *sdk.Healthcheck, names ...string) (sdk.State, error) {
	state, err := s.Runtime.WaitHealthy(s.ctx, id, check)
	if sdk.IsCode(err, sdk.CodeUnsupported) {
		s.namesField(err, append(names, "health", "check")...)
		panic(refused{err.Error()})
	}
	return state, err
}

var waitChecks = []check{
	{
		name: "wait/running", level: Core,
		promise: "without any healthcheck, being seen running is enough; health then is none",
		run: func(s *stage) {
			state, err := s.Runtime.WaitHealthy(s.ctx, s.start(s.spec("web", "wait")), nil)
			s.must("wait", err)
			if state.Status != sdk.StatusRunning || state.Health != sdk.HealthNone {
				s.errorf("the state is %s with health %q, wanted running with none", state.Status, state.Health)
			}
		},
	},
	{
		name: "wait/state", level: Core,
		promise: "WaitHealthy returns the state in which the container was found",
		run: func(s *stage) {
			spec := s.spec("web", "wait")
			id := s.start(spec)
			state, err := s.Runtime.WaitHealthy(s.ctx, id, nil)
			s.must("wait", err)
			if state.ID != id || state.Name != spec.Name || state.Resource != spec.Resource || state.Project != s.project {
				s.errorf("the state is of %q (%s, %s, %s)", state.Name, state.ID, state.Project, state.Resource)
			}
		},
	},
	{
		name: "wait/passes", level: Core, needs: []ability{program},
		promise: "ready means that the check passed once",
		run: func(s *stage) {
			check := s.running("say", "0")
			state, err := s.waited(s.guardedBy(check, "wait"), check)
			s.must("wait", err)
			if state.Status != sdk.StatusRunning {
				s.errorf("the container is %s", state.Status)
			}
		},
	},
	{
		name: "wait/until-it-passes", level: Managed, needs: []ability{program, logger},
		promise: "WaitHealthy goes on until the check passes",
		run: func(s *stage) {
			port := s.port()
			url := urlOf(port)
			check := s.running("get", url)
			spec := s.spec("web", "serve", portText(port))
			spec.Env = map[string]string{"READY_AFTER": "700ms"}
			spec.Healthcheck = check
			id := s.honoured(spec, "health")
			_, err := s.waited(id, check)
			s.must("wait", err)
			p, err := s.logs(s.ctx, id, sdk.LogOptions{Tail: -1})
			s.must("logs", err)
			if !strings.Contains(p.stdout(), "ready") {
				s.errorf("it was called ready before it was")
			}
		},
	},
	{
		name: "wait/own-check", level: Core, needs: []ability{checked},
		promise: "without a check, the image's own healthcheck counts",
		run: func(s *stage) {
			id := s.start(s.completed(s.Checked("wait"), "web"))
			ctx, cancel := context.WithTimeout(s.ctx, 2500*time.Millisecond)
			defer cancel()
			if _, err := s.Runtime.WaitHealthy(ctx, id, nil); err == nil {
				s.errorf("it was called ready although its image's own check fails")
			}
			served := s.start(s.completed(s.Checked("serve"), "served"))
			state, err := s.Runtime.WaitHealthy(s.ctx, served, nil)
			s.must("wait for one whose image's own check passes", err)
			if state.Status != sdk.StatusRunning {
				s.errorf("the container is %s", state.Status)
			}
		},
	},
	{
		name: "wait/disabled", level: Core, needs: []ability{checked},
		promise: "a check that is disabled ignores the image's own healthcheck",
		run: func(s *stage) {
			spec := s.completed(s.Checked("wait"), "web")
			spec.Healthcheck = &sdk.Healthcheck{Disable: true}
			_, err := s.waited(s.honoured(spec, "health"), spec.Healthcheck, "disable")
			s.must("wait", err)
		},
	},
	{
		name: "wait/unhealthy", level: Core, needs: []ability{program},
		promise: "WaitHealthy fails with unhealthy when the check used up its retries, with what the check printed",
		run: func(s *stage) {
			check := s.running("say", "1", "not well at all")
			check.Interval, check.StartInterval, check.Retries = ms(200), ms(100), 2
			_, err := s.waited(s.guardedBy(check, "wait"), check)
			s.wantCode("wait", err, sdk.CodeUnhealthy)
			if e, ok := errors.AsType[*sdk.Error](err); !ok || !strings.Contains(e.Output, "not well at all") {
				s.errorf("the error says nothing of what the check printed: %+v", e)
			}
		},
	},
	{
		name: "wait/hanging-check", level: Core, needs: []ability{program},
		promise: "a check that takes longer than its timeout has failed",
		run: func(s *stage) {
			check := s.running("say", "0")
			check.Test = append(append([]string{}, s.Program...), "tick", "100", "10s")
			check.Interval, check.StartInterval, check.Retries, check.Timeout = ms(100), ms(50), 2, ms(300)
			_, err := s.waited(s.guardedBy(check, "wait"), check)
			s.wantCode("wait", err, sdk.CodeUnhealthy)
		},
	},
	{
		name: "wait/start-period", level: Core, needs: []ability{program},
		promise: "failures within the start period don't count against the retries",
		run: func(s *stage) {
			port := s.port()
			check := s.running("get", urlOf(port))
			check.Interval, check.StartInterval, check.Retries, check.StartPeriod = ms(100), ms(50), 2, ms(20_000)
			spec := s.spec("web", "serve", portText(port))
			spec.Env = map[string]string{"READY_AFTER": "1500ms"}
			spec.Healthcheck = check
			_, err := s.waited(s.honoured(spec, "health"), check)
			s.must("wait", err)
		},
	},
	{
		name: "wait/exits", level: Core, needs: []ability{program},
		promise: "WaitHealthy fails at once with exited and the exit code when the container ends meanwhile",
		run: func(s *stage) {
			check := s.running("say", "1", "not yet")
			check.Interval, check.StartInterval = ms(60_000), ms(60_000)
			spec := s.spec("job", "exit", "7")
			spec.Env = map[string]string{"EXIT_AFTER": "1s"}
			spec.Healthcheck = check
			_, err := s.waited(s.honoured(spec, "health"), check)
			s.exitedWith("wait", err, 7)
		},
	},
	{
		name: "wait/has-exited", level: Core,
		promise: "WaitHealthy fails with exited and the exit code when the container has ended",
		run: func(s *stage) {
			for _, code := range []int{0, 3} {
				spec := s.spec("job"+codeText(code), "exit", codeText(code))
				id := s.start(spec)
				s.endedCore(id)
				_, err := s.Runtime.WaitHealthy(s.ctx, id, nil)
				s.exitedWith("wait for what has ended", err, code)
			}
		},
	},
	{
		name: "wait/has-exited-check", level: Core, needs: []ability{program},
		promise: "a check isn't made in a container that has ended: that is exited, with the exit code",
		run: func(s *stage) {
			id := s.start(s.spec("job", "exit", "3"))
			s.endedCore(id)
			_, err := s.waited(id, s.running("say", "0"))
			s.exitedWith("wait for what has ended", err, 3)
		},
	},
	{
		name: "wait/stopped-meanwhile", level: Core, needs: []ability{program},
		promise: "WaitHealthy ends when the container is stopped meanwhile",
		run: func(s *stage) {
			check := s.running("say", "1")
			check.Interval, check.StartInterval = ms(60_000), ms(60_000)
			id := s.guardedBy(check, "wait")
			stopped := make(chan error, 1)
			timer := time.AfterFunc(700*time.Millisecond, func() { stopped <- s.Runtime.Stop(s.ctx, id, longGrace) })
			defer timer.Stop()
			_, err := s.waited(id, check)
			s.wantCode("wait", err, sdk.CodeExited, sdk.CodeNotFound)
			s.must("stop", <-stopped)
		},
	},
	{
		name: "wait/unknown", level: Core,
		promise: "WaitHealthy fails with not_found for a container that isn't there",
		run: func(s *stage) {
			_, err := s.Runtime.WaitHealthy(s.ctx, s.project+"-never-was", nil)
			s.wantCode("wait", err, sdk.CodeNotFound)
		},
	},
	{
		name: "wait/together", level: Core, needs: []ability{program},
		promise: "several may wait for one container",
		run: func(s *stage) {
			check := s.running("say", "0")
			id := s.guardedBy(check, "wait")
			_, err := s.waited(id, check)
			s.must("wait", err)
			s.allMust("wait", together(4, func(i int) error {
				c := check
				if i%2 == 0 {
					c = nil
				}
				ctx, cancel := context.WithTimeout(s.ctx, s.Soon)
				defer cancel()
				_, err := s.Runtime.WaitHealthy(ctx, id, c)
				return err
			}))
		},
	},
	{
		name: "wait/cancelled", level: Core, needs: []ability{program},
		promise: "WaitHealthy ends soon after its context does",
		run: func(s *stage) {
			check := s.running("say", "1")
			id := s.guardedBy(check, "wait")
			s.soon("wait", func(ctx context.Context) error {
				_, err := s.Runtime.WaitHealthy(ctx, id, check)
				return err
			}, s.after(700*time.Millisecond))
		},
	},
	{
		name: "wait/cancelled-in-check", level: Core, needs: []ability{program},
		promise: "WaitHealthy ends soon after its context does, in the middle of a check that hangs",
		run: func(s *stage) {
			check := s.running("tick", "100", "10s")
			check.Timeout = ms(3_600_000)
			id := s.guardedBy(check, "wait")
			s.soon("wait", func(ctx context.Context) error {
				_, err := s.Runtime.WaitHealthy(ctx, id, check)
				return err
			}, s.after(500*time.Millisecond))
		},
	},
	{
		name: "wait/cancelled-before", level: Core,
		promise: "WaitHealthy ends at once when its context has ended",
		run: func(s *stage) {
			id := s.start(s.spec("web", "wait"))
			s.soon("wait", func(ctx context.Context) error {
				_, err := s.Runtime.WaitHealthy(ctx, id, nil)
				return err
			}, nil)
		},
	},
	{
		name: "wait/deadline", level: Core, needs: []ability{program},
		promise: "an operation whose deadline passes fails with timeout, and wraps the context's error",
		run: func(s *stage) {
			check := s.running("say", "1")
			id := s.guardedBy(check, "wait")
			ctx, cancel := context.WithTimeout(s.ctx, 500*time.Millisecond)
			defer cancel()
			_, err := s.Runtime.WaitHealthy(ctx, id, check)
			s.wantContextError("wait", err, context.DeadlineExceeded)
		},
	},
	{
		name: "wait/log", level: Managed, needs: []ability{logger},
		promise: "a log check passes when a line of output matches",
		run: func(s *stage) {
			spec := s.spec("web", "serve", portText(s.port()))
			spec.Env = map[string]string{"READY_AFTER": "300ms"}
			spec.Healthcheck = &sdk.Healthcheck{Log: &sdk.LogCheck{Pattern: `^ready \d+$`}}
			_, err := s.waited(s.honoured(spec, "health", "log"), spec.Healthcheck, "log")
			s.must("wait", err)
		},
	},
	{
		name: "wait/log-never", level: Managed, needs: []ability{logger},
		promise: "a log check fails with exited when the container ends without a line that matches",
		run: func(s *stage) {
			spec := s.spec("job", "exit", "4")
			spec.Healthcheck = &sdk.Healthcheck{Log: &sdk.LogCheck{Pattern: "never printed"}}
			_, err := s.waited(s.honoured(spec, "health", "log"), spec.Healthcheck, "log")
			s.exitedWith("wait", err, 4)
		},
	},
	{
		name: "wait/tcp", level: Full,
		promise: "a TCP check passes when a connection is accepted, or is refused as unsupported",
		run: func(s *stage) {
			spec, port := s.served()
			spec.Healthcheck = &sdk.Healthcheck{TCP: &sdk.TCPCheck{Port: port}}
			_, err := s.waited(s.honoured(spec, "health", "tcp", "port"), spec.Healthcheck, "tcp", "network")
			s.must("wait", err)
		},
	},
	{
		name: "wait/http", level: Full,
		promise: "an HTTP check passes when the answer has the expected status, or is refused as unsupported",
		run: func(s *stage) {
			spec, port := s.served()
			spec.Healthcheck = &sdk.Healthcheck{HTTP: &sdk.HTTPCheck{Port: port, Path: "/"}}
			_, err := s.waited(s.honoured(spec, "health", "http", "port"), spec.Healthcheck, "http", "network")
			s.must("wait", err)
		},
	},
}

// exitedWith checks the error for a container that has ended.
func (s *stage) exitedWith(doing string, err error, code int) {
	s.wantCode(doing, err, sdk.CodeExited)
	if e, ok := errors.AsType[*sdk.Error](err); ok && e.ExitCode != code {
		s.errorf("%s: the error has the exit code %d, wanted %d", doing, e.ExitCode, code)
	}
}
