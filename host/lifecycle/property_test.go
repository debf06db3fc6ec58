package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/lightshuttle/lightshuttle/host/plan"
	"github.com/lightshuttle/lightshuttle/sdk/fake"
)

// A random stack: any acyclic graph, any conditions, any behaviour.
type randomStack struct {
	plan     *plan.Plan
	scripts  scripts
	parallel int
}

func drawStack(t *rapid.T, misbehave bool) randomStack {
	size := rapid.IntRange(1, 10).Draw(t, "size")
	lines := make([]string, size)
	for i := range lines {
		lines[i] = fmt.Sprintf("r%d <", i)
		for j := range i {
			if rapid.IntRange(0, 3).Draw(t, "edge") == 0 {
				condition := rapid.SampledFrom([]plan.Condition{plan.Ready, plan.Ready, plan.Started, plan.Healthy, plan.Completed}).Draw(t, "condition")
				lines[i] += fmt.Sprintf(" r%d:%s", j, condition)
			}
		}
	}
	s := randomStack{plan: stackOf(lines...), scripts: scripts{}, parallel: rapid.IntRange(1, 12).Draw(t, "parallel")}
	wantsHealth := map[string]bool{}
	for _, step := range s.plan.Steps {
		for _, dependency := range step.DependsOn {
			if dependency.Condition == plan.Healthy {
				wantsHealth[dependency.Resource] = true
			}
		}
	}
	for i := range s.plan.Steps {
		step := &s.plan.Steps[i]
		if wantsHealth[step.Resource] || rapid.Bool().Draw(t, "checked") {
			step.Spec.Healthcheck = aCheck
		}
		if rapid.Bool().Draw(t, "prepare") {
			step.Prepare = plan.Pull
		}
		s.scripts[step.Resource] = drawScript(t, step.Completes, misbehave)
	}
	return s
}

func drawDelay(t *rapid.T, label string) time.Duration {
	return time.Duration(rapid.IntRange(0, 5).Draw(t, label)) * time.Second
}

func drawScript(t *rapid.T, completes, misbehave bool) fake.Script {
	script := fake.Script{
		Prepare:     fake.Phase{Delay: drawDelay(t, "prepare")},
		Start:       fake.Phase{Delay: drawDelay(t, "start")},
		WaitHealthy: fake.Phase{Delay: drawDelay(t, "wait")},
		Stop:        fake.Phase{Delay: drawDelay(t, "stop")},
		IgnoresStop: rapid.IntRange(0, 4).Draw(t, "stubborn") == 0,
	}
	if completes {
		script.Exits = true
		script.ExitAfter = drawDelay(t, "exit") + 10*time.Second
	}
	if !misbehave || rapid.IntRange(0, 2).Draw(t, "misbehaves") > 0 {
		return script
	}
	wrong := rapid.SampledFrom([]fake.Phase{
		{Err: errors.New("boom")}, {Panic: "boom"}, {Hang: true}, {Delay: 2 * time.Second, Deaf: true, Err: errors.New("boom")},
	}).Draw(t, "wrong")
	switch rapid.SampledFrom([]string{"prepare", "start", "wait", "exit", "exit ready", "stop", "remove"}).Draw(t, "phase") {
	case "prepare":
		wrong.Hang = false // a pull may take as long as it takes
		script.Prepare = wrong
	case "start":
		script.Start = wrong
	case "wait":
		script.WaitHealthy = wrong
	case "exit":
		script.Exits, script.ExitCode, script.ExitAfter = true, 3, 0
	case "exit ready":
		script.Exits, script.ExitCode, script.ExitAfter = true, 3, drawDelay(t, "exit")
	case "stop":
		script.Stop = wrong
	case "remove":
		script.Remove = fake.Phase{Delay: 5 * time.Second, Err: errors.New("busy")}
	}
	return script
}

// bubble is the inside of a virtual time. A failure there is handed out of it
// before it becomes rapid's, which fails by a panic.
type bubble struct{ *testing.T }

type failure string

func (bubble) fatalf(format string, args ...any) { panic(failure(fmt.Sprintf(format, args...))) }

// inBubble runs the check in virtual time. All that is random was drawn before.
func inBubble(t *testing.T, rt *rapid.T, check func(b bubble)) {
	var failed failure
	synctest.Test(t, func(tb *testing.T) {
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			var ok bool
			if failed, ok = cause.(failure); !ok {
				panic(cause)
			}
		}()
		check(bubble{tb})
	})
	if failed != "" {
		rt.Fatal(string(failed))
	}
}

// onRandomStacks checks a property of stacks.
func onRandomStacks(t *testing.T, misbehave bool, check func(b bubble, s randomStack)) {
	rapid.Check(t, func(rt *rapid.T) {
		s := drawStack(rt, misbehave)
		inBubble(t, rt, func(b bubble) { check(b, s) })
	})
}

// L1, L2, L3: in a stack that behaves, each resource starts in the very moment
// in which its last dependency came far enough, and its image was there.
func TestPropertyL1L2StartsAsSoonAsItMayAndNoSooner(t *testing.T) {
	onRandomStacks(t, false, func(t bubble, s randomStack) {
		runtime := fake.New(s.scripts)
		m, err := New(s.plan, runtime, Options{Parallel: 100})
		if err != nil {
			t.fatalf("%v", err)
		}
		defer m.Close()
		began := time.Now()
		if err := m.Start(t.Context()); err != nil {
			t.fatalf("Start() = %v", err)
		}
		reached := map[string]map[plan.Condition]time.Duration{}
		for _, step := range s.plan.Steps {
			script := s.scripts[step.Resource]
			begin := time.Duration(0)
			if step.Prepare != "" {
				begin = script.Prepare.Delay
			}
			for _, dependency := range step.DependsOn {
				begin = max(begin, reached[dependency.Resource][dependency.Condition])
			}
			reached[step.Resource] = moments(step, script, begin)
			if got := runtime.CallsOf("start", step.Resource)[0].Began.Sub(began); got != begin {
				t.fatalf("%s was started after %s, want %s", step.Resource, got, begin)
			}
		}
	})
}

// moments are when a well-behaved resource comes to each condition.
func moments(step plan.Step, script fake.Script, begin time.Duration) map[plan.Condition]time.Duration {
	started := begin + script.Start.Delay
	healthy := started + script.WaitHealthy.Delay
	at := map[plan.Condition]time.Duration{plan.Started: started, plan.Healthy: healthy, plan.Ready: healthy}
	if step.Completes {
		at[plan.Completed] = started + script.ExitAfter
		at[plan.Ready] = at[plan.Completed]
	}
	return at
}

// L4, L6, L7, L10, L16, L20: whatever fails, in whatever phase, the start
// returns in time, each resource has one outcome, each change was one event,
// and after a stop nothing is left that could be removed.
func TestPropertyL4L6L7WhateverFailsTheStartEndsAndNothingIsLeft(t *testing.T) {
	onRandomStacks(t, true, func(t bubble, s randomStack) {
		runtime := fake.New(s.scripts)
		m, err := New(s.plan, runtime, Options{Parallel: s.parallel, StartTimeout: time.Minute})
		if err != nil {
			t.fatalf("%v", err)
		}
		defer m.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		startErr := m.Start(ctx)
		if ctx.Err() != nil {
			t.fatalf("Start didn't return within an hour")
		}
		snapshot := m.Snapshot()
		checkOutcomes(t, s, snapshot, startErr)
		stopErr := m.Stop(t.Context())
		checkEvents(t, m)
		if stopErr == nil && (startErr == nil || asStartErrorOf(startErr).Rollback == nil) {
			if left := runtime.Left(); len(left) > 0 {
				t.fatalf("left behind: %v; Start() = %v", left, startErr)
			}
		}
		for _, left := range runtime.Left() {
			if !mayRemain(s, left) {
				t.fatalf("left behind: %s, though it can be removed; Start() = %v, Stop() = %v", left, startErr, stopErr)
			}
		}
	})
}

// mayRemain says whether a leftover is one that refuses to be removed, or the
// network that it holds.
func mayRemain(s randomStack, left string) bool {
	refuses := func(name string) bool { return s.scripts[name].Remove.Err != nil }
	for _, step := range s.plan.Steps {
		if left == "container "+step.Spec.Name {
			return refuses(step.Resource)
		}
	}
	return slices.ContainsFunc(s.plan.Steps, func(step plan.Step) bool { return refuses(step.Resource) })
}

func asStartErrorOf(err error) *StartError {
	failed, ok := errors.AsType[*StartError](err)
	if !ok {
		return &StartError{}
	}
	return failed
}

// checkOutcomes wants every resource to have an outcome (L4).
func checkOutcomes(t bubble, s randomStack, snapshot []Resource, startErr error) {
	for _, r := range snapshot {
		// One that ends by itself may do so in the moment after the stack came up.
		endsByItself := r.State == Exited && s.scripts[r.Name].Exits
		if startErr == nil && !r.Ready && !endsByItself {
			t.fatalf("the stack is up, but %s is %s and not ready", r.Name, r.State)
		}
		if startErr == nil {
			continue
		}
		switch r.State {
		case Failed, Cancelled, Stopped, Exited:
		default:
			t.fatalf("the start failed and was rolled back, but %s is %s", r.Name, r.State)
		}
	}
	if startErr == nil {
		return
	}
	failed := asStartErrorOf(startErr)
	if len(failed.Failures) == 0 || failed.Failures[0].Resource == "" {
		t.fatalf("the start failed without a culprit: %v", startErr)
	}
}

// follows are the states that may follow a state.
var follows = map[State][]State{
	Pending:    {Preparing, Starting, Running, Cancelled, Failed, Stopping, Exited},
	Preparing:  {Starting, Running, Cancelled, Failed},
	Starting:   {Running, Cancelled, Failed},
	Running:    {Running, Healthy, Exited, Failed, Cancelled, Stopping, Restarting, Paused},
	Healthy:    {Unhealthy, Exited, Failed, Cancelled, Stopping, Restarting, Paused},
	Unhealthy:  {Healthy, Exited, Stopping, Restarting, Paused},
	Paused:     {Running, Healthy, Unhealthy, Exited, Stopping, Restarting},
	Exited:     {Stopping, Restarting, Starting, Running},
	Restarting: {Starting, Failed, Cancelled},
	Stopping:   {Stopped, Failed},
	Failed:     {Restarting, Starting, Stopping, Running},
	Cancelled:  {},
	Stopped:    {Stopping, Starting, Restarting, Running, Failed}, // the last when it can't be removed
}

// checkEvents wants numbers without gaps, and only changes that make sense
// (L16).
func checkEvents(t bubble, m *Manager) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	states := map[string]State{}
	next := uint64(1)
	for event := range m.Events().Since(ctx, 0) {
		if event.Seq != next {
			t.fatalf("event %d follows event %d", event.Seq, next-1)
		}
		next++
		if event.Resource == "" || event.Type == StackFailed || event.Type == DependencyRestarted {
			continue
		}
		before, known := states[event.Resource]
		if !known {
			before = Pending
		}
		after := stateAfter(event)
		if !slices.Contains(follows[before], after) {
			t.fatalf("%s went from %s to %s", event.Resource, before, after)
		}
		states[event.Resource] = after
	}
}

func stateAfter(event Event) State {
	for _, state := range []State{Preparing, Starting, Running, Healthy, Unhealthy, Paused, Exited, Restarting, Stopping, Stopped, Failed, Cancelled} {
		if eventOf(state, event.Type == ResourceReady) == event.Type {
			return state
		}
	}
	panic("no state for event " + string(event.Type))
}

// L11, L7: a start that is interrupted at any moment returns at once but for the
// grace periods, and leaves nothing behind.
func TestPropertyL11InterruptedAtAnyMoment(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := drawStack(rt, false)
		at := time.Duration(rapid.IntRange(0, 40_000).Draw(rt, "at")) * time.Millisecond
		inBubble(t, rt, func(t bubble) { checkInterrupted(t, s, at) })
	})
}

func checkInterrupted(t bubble, s randomStack, at time.Duration) {
	runtime := fake.New(s.scripts)
	m, err := New(s.plan, runtime, Options{Parallel: s.parallel})
	if err != nil {
		t.fatalf("%v", err)
	}
	defer m.Close()
	ctx, cancel := context.WithTimeout(t.Context(), at)
	defer cancel()
	began := time.Now()
	startErr := m.Start(ctx)
	if took, most := time.Since(began), at+time.Duration(len(s.plan.Steps))*(DefaultGrace+stopMargin); took > most {
		t.fatalf("Start returned after %s, interrupted after %s", took, at)
	}
	if startErr == nil {
		if err := m.Stop(t.Context()); err != nil {
			t.fatalf("%v", err)
		}
	}
	if left := runtime.Left(); len(left) > 0 {
		t.fatalf("left behind: %v; Start() = %v", left, startErr)
	}
	checkEvents(t, m)
}

// L9: a resource is told to stop in the very moment in which the last that
// depends on it is gone.
func TestPropertyL9StopsAsSoonAsItMayAndNoSooner(t *testing.T) {
	onRandomStacks(t, false, func(t bubble, s randomStack) {
		runtime := fake.New(s.scripts)
		m, err := New(s.plan, runtime, Options{Parallel: s.parallel})
		if err != nil {
			t.fatalf("%v", err)
		}
		defer m.Close()
		if err := m.Start(t.Context()); err != nil {
			t.fatalf("%v", err)
		}
		began := time.Now()
		if err := m.Stop(t.Context()); err != nil {
			t.fatalf("%v", err)
		}
		for _, step := range s.plan.Steps {
			allowed := began
			for _, other := range s.plan.Steps {
				if slices.Contains(other.DependencyNames(), step.Resource) {
					removes := runtime.CallsOf("remove", other.Resource)
					allowed = latest(allowed, removes[len(removes)-1].Ended)
				}
			}
			if step.Completes {
				continue // it has ended already: it is only removed
			}
			if got := runtime.CallsOf("stop", step.Resource)[0].Began; !got.Equal(allowed) {
				t.fatalf("%s was told to stop after %s, want %s", step.Resource, got.Sub(began), allowed.Sub(began))
			}
		}
	})
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// L14: restarts and a stop, in any order and at any time, never overlap on one
// resource, and all of them return.
func TestPropertyL14OperationsNeverOverlap(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := drawStack(rt, false)
		restarts := make([]restartAt, rapid.IntRange(1, 8).Draw(rt, "restarts"))
		for i := range restarts {
			restarts[i] = restartAt{rapid.SampledFrom(s.plan.Steps).Draw(rt, "resource").Resource, drawDelay(rt, "at")}
		}
		stop := drawDelay(rt, "stop")
		inBubble(t, rt, func(t bubble) { checkOperations(t, s, restarts, stop) })
	})
}

type restartAt struct {
	resource string
	after    time.Duration
}

func checkOperations(t bubble, s randomStack, restarts []restartAt, stop time.Duration) {
	runtime := fake.New(s.scripts)
	m, err := New(s.plan, runtime, Options{})
	if err != nil {
		t.fatalf("%v", err)
	}
	defer m.Close()
	if err := m.Start(t.Context()); err != nil {
		t.fatalf("%v", err)
	}
	began := time.Now()
	done := make(chan struct{}, len(restarts))
	for _, restart := range restarts {
		time.AfterFunc(restart.after, func() {
			_ = m.Restart(t.Context(), restart.resource)
			done <- struct{}{}
		})
	}
	<-time.After(stop)
	if err := m.Stop(t.Context()); err != nil {
		t.fatalf("%v", err)
	}
	for range restarts {
		<-done
	}
	if left := runtime.Left(); len(left) > 0 {
		t.fatalf("left behind: %v", left)
	}
	for _, step := range s.plan.Steps {
		checkNoOverlap(t, runtime, step.Resource, began)
	}
	checkEvents(t, m)
}

func checkNoOverlap(t bubble, runtime *fake.Runtime, resource string, since time.Time) {
	var last fake.Call
	for _, call := range runtime.Calls() {
		if call.Resource != resource || call.Began.Before(since) || call.Op == "wait" {
			continue
		}
		if call.Began.Before(last.Ended) {
			t.fatalf("%s of %s began before its %s had ended", call.Op, resource, last.Op)
		}
		last = call
	}
}
