package main

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// trial is one combination under way.
type trial struct {
	ctx     context.Context
	place   *place
	daemon  *daemon
	outcome outcome
	// stopping says that what was broken was at stopping things: the engine may
	// still be at it.
	stopping bool
	// away is held while there is no engine.
	away sync.Mutex
}

func (t *trial) problem(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	t.outcome.Problems = append(t.outcome.Problems, text)
	t.place.note("PROBLEM %s", text)
}

func (t *trial) problems(texts []string) {
	for _, text := range texts {
		t.problem("%s", text)
	}
}

// try tries what the combination says, in a place of its own.
func (t *trial) try() {
	switch t.outcome.Kind {
	case faultKillAtEvent:
		t.killAtEvent()
	case faultEngineAtEvent:
		t.engineAtEvent()
	case faultEngineRuns, faultEngineLives:
		t.engineWhileRunning()
	case faultStreams, faultStreamsDeath, faultStreamsRemove, faultContainer, faultRemoved:
		t.whileRunning()
	default:
		if t.outcome.Scenario == scenarioDown {
			t.atCallOfDown()
		} else {
			t.atCallOfUp()
		}
	}
	for _, text := range t.outcome.Problems {
		t.outcome.Leaked = t.outcome.Leaked || strings.Contains(text, "LEAK")
	}
	t.outcome.Notes = t.place.notes
}

// arm arms a fault for the run that begun is then told of.
func (t *trial) arm(f *fault) (begun func(*run)) {
	victim := make(chan *run, 1)
	if slices.Contains(killFaults, f.Kind) {
		f.act = func() { (<-victim).signal(syscall.SIGKILL) }
	}
	t.place.proxy.arm(f)
	return func(r *run) { victim <- r }
}

// upAtFault runs up to its end: by itself, or by Ctrl-C once it is up.
func (t *trial) upAtFault(f *fault) (r *run, code int, started bool) {
	begun := t.arm(f)
	r, err := t.place.program.begin(nil, "up", "--json")
	if err != nil {
		t.problem("%v", err)
		return nil, 0, false
	}
	begun(r)
	started, err = r.await(patience, isStarted)
	if err == nil {
		r.signal(syscall.SIGINT)
		code, err = r.wait()
	}
	if err != nil {
		t.problem("STUCK: %v", err)
	}
	t.ended(r)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, line := range r.bad {
		t.problem("its events: %s", line)
	}
	return r, code, started
}

// ended keeps what an up said.
func (t *trial) ended(r *run) {
	t.stopping = slices.ContainsFunc(r.seen(), func(e event) bool { return e.Type == stackStopping })
	t.place.noteRun("up", r)
	t.place.noteCalls()
}

func (t *trial) atCallOfUp() {
	f := &fault{Kind: t.outcome.Kind, Site: t.outcome.Site, act: t.restartEngine}
	r, code, _ := t.upAtFault(f)
	if r == nil {
		return
	}
	t.outcome.Reached = t.place.proxy.hasFired()
	t.judge(r, code)
	t.comeBack()
}

func (t *trial) atCallOfDown() {
	up, err := t.place.up()
	if err != nil {
		t.problem("%v", err)
		return
	}
	up.kill()
	t.stopping = true
	f := &fault{Kind: t.outcome.Kind, Site: t.outcome.Site, act: t.restartEngine}
	begun := t.arm(f)
	r, err := t.place.program.begin(nil, "down")
	if err != nil {
		t.problem("%v", err)
		return
	}
	begun(r)
	code, err := r.wait()
	if err != nil {
		t.problem("STUCK: %v", err)
	}
	t.place.noteRun("down", r)
	t.place.noteCalls()
	t.outcome.Reached = t.place.proxy.hasFired()
	t.judge(r, code)
	t.comeBack()
}

// restartEngine kills the engine and starts it again.
func (t *trial) restartEngine() {
	t.away.Lock()
	defer t.away.Unlock()
	if err := t.daemon.restart(t.ctx); err != nil {
		t.problem("the engine doesn't come back: %v", err)
	}
}

// comeBack is what must be possible after anything.
func (t *trial) comeBack() {
	t.place.proxy.arm(nil) // it may not have been reached
	if killed := slices.Contains(killFaults, t.outcome.Kind) || t.outcome.Kind == faultKillAtEvent; killed {
		t.problems(t.place.psTellsTheTruth(t.ctx))
	}
	t.problems(t.place.upAndDown(t.ctx, t.stopping))
}

// causes are what a message may say of a fault. An answer to HEAD has no text.
var causes = map[faultKind]*regexp.Regexp{
	faultCutBefore: regexp.MustCompile(`(?i)EOF|can't reach|connection`),
	faultCutAfter:  regexp.MustCompile(`(?i)EOF|can't reach|connection`),
	faultCutBody:   regexp.MustCompile(`(?i)EOF|can't reach|connection|malformed|end of JSON`),
	faultHang:      regexp.MustCompile(`(?i)within|timeout|timed out|in time`),
	faultHangAfter: regexp.MustCompile(`(?i)within|timeout|timed out|in time`),
	faultFail:      regexp.MustCompile(injected + `|500 Internal Server Error`),
	faultFailAfter: regexp.MustCompile(injected + `|500 Internal Server Error`),

	faultEngineBefore:  regexp.MustCompile(`(?i)EOF|can't reach|connection|engine was away|within`),
	faultEngineAfter:   regexp.MustCompile(`(?i)EOF|can't reach|connection|engine was away|within`),
	faultEngineAtEvent: regexp.MustCompile(`(?i)EOF|can't reach|connection|engine was away|within`),
}

// sensible are the exit codes of a failure that isn't the user's fault: the
// engine, a resource, time.
var sensible = []int{3, 4, 5}

// judge looks at how a run ended during which something went wrong.
func (t *trial) judge(r *run, code int) {
	t.away.Lock() // the program may have ended before the engine is back
	defer t.away.Unlock()
	if r.stuck {
		return // which is a problem already
	}
	kind := t.outcome.Kind
	if t.outcome.Reached && slices.Contains(killFaults, kind) {
		if code != -1 {
			t.problem("it was killed, and ended with code %d", code)
		}
		return
	}
	left, err := t.place.leaks(t.ctx)
	if err != nil {
		t.problem("%v", err)
		return
	}
	said := r.stderr.String()
	t.judgeRest(left, code, said)
	if code == 0 {
		return
	}
	if !t.outcome.Reached || kind.harmless() {
		t.problem("nothing was wrong, and it ended with code %d", code)
		return
	}
	if !slices.Contains(sensible, code) {
		t.problem("code %d isn't that of an engine or resource that failed", code)
	}
	if cause := causes[kind]; cause != nil && !cause.MatchString(said) {
		t.problem("the message doesn't say the cause")
	}
	if slices.Contains(engineFaults, kind) {
		return // it hits all that goes on, and what is hit may still succeed
	}
	if resource := t.outcome.Site.Resource; resource != "" && !strings.Contains(said, resource) {
		t.problem("the message doesn't name %s", resource)
	}
}

// judgeRest looks at what is left.
func (t *trial) judgeRest(left []string, code int, said string) {
	if len(left) == 0 {
		return
	}
	t.place.note("left: %s", strings.Join(left, ", "))
	if code == 0 {
		t.problem("LEAK: it ended with code 0, and left %s", strings.Join(left, ", "))
		return
	}
	if t.outcome.Scenario == scenarioDown {
		t.outcome.Reported = true // down says that it failed; what is left is the stack
		return
	}
	for _, thing := range left {
		fields := strings.Fields(thing)
		if fields[0] == "anonymous" && (slices.ContainsFunc(left, isContainer) || strings.Contains(said, "anonymous volumes of project "+t.place.project)) {
			continue // it is the container's, which is named
		}
		name := fields[1]
		if fields[0] == "container" {
			name = t.place.project + "." + name
		}
		if !strings.Contains(said, name) && !strings.Contains(said, "containers of project "+t.place.project) {
			t.problem("LEAK: %s was left, and not a word of it", thing)
			return
		}
	}
	t.outcome.Reported = true
}

func isContainer(thing string) bool { return strings.HasPrefix(thing, "container ") }

// killAtEvent kills the program at an event: its stop is a part of its life.
func (t *trial) killAtEvent() {
	var r *run
	begun := make(chan struct{})
	r, code := t.upWithEvents(func(n int, e event) {
		if n == t.outcome.Event {
			<-begun
			r.signal(syscall.SIGKILL)
		}
	}, func(it *run) {
		r = it
		close(begun)
	})
	t.outcome.Reached = code == -1
	if !t.outcome.Reached && code != 0 {
		t.problem("nothing was wrong, and it ended with code %d", code)
	}
	t.comeBack()
}

// upWithEvents is upAtFault for faults that come with an event.
func (t *trial) upWithEvents(onEvent func(int, event), begun func(*run)) (r *run, code int) {
	t.place.proxy.arm(nil)
	r, err := t.place.program.begin(onEvent, "up", "--json")
	if err != nil {
		t.problem("%v", err)
		return nil, 0
	}
	begun(r)
	_, err = r.await(patience, isStarted)
	if err == nil {
		r.signal(syscall.SIGINT)
		code, err = r.wait()
	}
	if err != nil {
		t.problem("STUCK: %v", err)
	}
	t.ended(r)
	return r, code
}

// engineAtEvent kills the engine at an event and starts it again.
func (t *trial) engineAtEvent() {
	killed := false
	r, code := t.upWithEvents(func(n int, _ event) {
		if n == t.outcome.Event {
			killed = true
			t.restartEngine()
		}
	}, func(*run) {})
	if r == nil {
		return
	}
	t.outcome.Reached = killed
	t.judge(r, code)
	t.comeBack()
}

// noticing bounds how long it may take until something is noticed: a new
// subscription after an engine that was away takes seconds at most.
const noticing = 45 * time.Second

// engineWhileRunning kills the engine under a stack that is up.
func (t *trial) engineWhileRunning() {
	r, err := t.place.up()
	if err != nil {
		t.problem("%v", err)
		return
	}
	t.outcome.Reached = true
	t.restartEngine()
	if t.outcome.Kind == faultEngineLives {
		t.killContainer("web")
	}
	after, err := t.place.resting(t.ctx)
	if err != nil {
		t.problem("%v", err)
	}
	for _, c := range after {
		if c.State == "running" || c.Labels[sdk.LabelResource] == "migrate" {
			continue
		}
		t.awaitEvent(r, exitedEvent, resourceOf(c))
	}
	t.endRunning(r)
}

// whileRunning breaks the event stream, or a container, of a stack that is up.
func (t *trial) whileRunning() {
	r, err := t.place.up()
	if err != nil {
		t.problem("%v", err)
		return
	}
	t.outcome.Reached = true
	kind := t.outcome.Kind
	if kind == faultStreams || kind == faultStreamsDeath || kind == faultStreamsRemove {
		if t.place.proxy.cutStreams() == 0 {
			t.problem("there is no event stream to cut")
		}
	}
	resource := t.outcome.Resource
	if kind == faultRemoved || kind == faultStreamsRemove {
		t.removeContainer(resource)
	} else {
		t.killContainer(resource)
	}
	t.awaitEvent(r, exitedEvent, resource)
	t.endRunning(r)
}

func (t *trial) awaitEvent(r *run, kind, resource string) {
	seen, err := r.await(noticing, func(e event) bool { return e.Type == kind && e.Resource == resource })
	if err != nil || !seen {
		t.problem("it didn't notice: no %s of %s (%v)", kind, resource, err)
	}
}

// endRunning stops a stack that was up: without a word, since nothing of what
// went wrong keeps it from stopping.
func (t *trial) endRunning(r *run) {
	code, err := t.place.stop(r)
	if err != nil {
		t.problem("STUCK: %v", err)
	}
	t.place.noteRun("up", r)
	t.place.noteCalls()
	if code != 0 && !r.stuck {
		t.problem("after all was well again, up ended with code %d", code)
	}
	left, err := t.place.leaks(t.ctx)
	if err != nil {
		t.problem("%v", err)
	}
	if len(left) > 0 {
		t.problem("LEAK: %s", strings.Join(left, ", "))
	}
	t.comeBack()
}

func (t *trial) killContainer(resource string) {
	if err := t.place.engine.api.ContainerKill(t.ctx, t.place.project+"."+resource, "KILL"); err != nil {
		t.problem("docker kill: %v", err)
	}
}

func (t *trial) removeContainer(resource string) {
	if err := present(t.place.engine.api.ContainerRemove(t.ctx, t.place.project+"."+resource, removeAll)); err != nil {
		t.problem("docker rm -f: %v", err)
	}
}
