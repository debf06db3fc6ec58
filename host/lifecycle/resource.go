package lifecycle

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/lightshuttle/lightshuttle/host/graph"
	"github.com/lightshuttle/lightshuttle/host/plan"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// resource is what the owner knows of one resource.
type resource struct {
	step  *plan.Step
	index int

	state     State
	ready     bool
	since     time.Time
	startedAt time.Time
	id        string
	ports     []sdk.PortBinding
	exitCode  *int
	restarts  int
	lastErr   error

	// created says that this run made the container, so that a rollback is to
	// remove it; gone that it was removed, by us or from outside.
	created bool
	gone    bool
	// waiting counts the dependencies that haven't come far enough.
	waiting    int
	dependents []dependent
	prepared   bool
	// reached is how far it has come, for the conditions of its dependents.
	reached reached
	outcome outcome
	// queued says that it waits for its turn to be started.
	queued bool

	// busy says that an operation on the container goes on (L14); cancel ends
	// it, with the reason.
	busy       bool
	cancel     context.CancelCauseFunc
	startTimer *time.Timer
	// exit is the end of the present container; exited is closed with it, for a
	// worker that waits for completion.
	exit   *exit
	exited chan struct{}
	// earlyExits holds ends of containers of this resource whose ids aren't
	// known yet: an engine may report the end before Start has returned.
	earlyExits map[string]exit

	// changed says that something happened to the container before it was
	// adopted.
	changed bool
	// oom says that the kernel killed a process of the container.
	oom bool

	// stopAfter counts the dependents that have to stop first; stopWanted waits
	// for the end of an operation.
	supervision

	stopAfter  int
	stopWanted bool
	stopBegun  bool
	// stopPassed says that what it depends on waits for it no more.
	stopPassed bool
}

type reached struct{ started, ready, healthy, completed bool }

// dependent is a resource that waits until this one comes to a condition.
type dependent struct {
	to        *resource
	condition plan.Condition
}

type exit struct {
	code int
	oom  bool
	// away says that it was found only when the engine had come back.
	away bool
}

// outcome is how the start of a resource ended: there is exactly one (L4).
type outcome int

const (
	undecided outcome = iota
	outcomeReady
	outcomeFailed
	outcomeCancelled
)

func newResources(p *plan.Plan, dependencies *graph.Graph) []*resource {
	resources := make([]*resource, len(p.Steps))
	now := time.Now()
	all := make([]resource, len(p.Steps))
	for i := range p.Steps {
		step := &p.Steps[i]
		r := &all[i]
		*r = resource{step: step, index: i, state: Pending, since: now, waiting: len(step.DependsOn)}
		if step.Previous != nil {
			r.id = step.Previous.ID
			r.ports = step.Previous.Ports
			r.exitCode = step.Previous.ExitCode
			r.exit = exitSeen(step.Previous)
		}
		resources[i] = r
	}
	for _, r := range resources {
		for _, dependency := range r.step.DependsOn {
			i, _ := dependencies.Index(dependency.Resource)
			resources[i].dependents = append(resources[i].dependents, dependent{r, dependency.Condition})
		}
	}
	return resources
}

func exitSeen(state *sdk.State) *exit {
	if !state.Ended() {
		return nil
	}
	how := exit{oom: state.OOMKilled}
	if state.ExitCode != nil {
		how.code = *state.ExitCode
	}
	return &how
}

// change is what a transition sets besides the state.
type change struct {
	ready    bool
	err      error
	exitCode *int
}

// transition is the only place where a resource's state changes. It emits the
// event of that change (L16).
func (m *Manager) transition(r *resource, state State, c change) {
	r.state = state
	r.ready = c.ready
	r.since = time.Now()
	if c.exitCode != nil {
		r.exitCode = c.exitCode
	}
	event := Event{Time: r.since, Type: eventOf(state, c.ready), Resource: r.step.Resource, ID: r.id, Ready: c.ready, ExitCode: c.exitCode}
	if !r.nextStart.IsZero() {
		next := r.nextStart
		event.NextStart = &next
	}
	if c.err != nil {
		r.lastErr = c.err
		event.Error = reason(c.err)
	}
	m.events.append(event)
}

// reason is err without the resource's name, which stands beside it anyway.
func reason(err error) string {
	if e, ok := err.(*sdk.Error); ok { //nolint:errorlint // only the outermost may be shortened
		short := *e
		short.Resource = ""
		return short.Error()
	}
	return err.Error()
}

func (m *Manager) snapshot() []Resource {
	snapshot := make([]Resource, len(m.resources))
	for i, r := range m.resources {
		snapshot[i] = Resource{
			Name: r.step.Resource, Kind: r.step.Kind, Runtime: r.runtime(), Image: r.image(),
			State: r.state, Ready: r.ready, ID: r.id, Container: r.containerName(), Ports: r.ports,
			Since: r.since, StartedAt: r.startedAt, ExitCode: r.exitCode, Restarts: r.restarts, NextStart: r.nextStart,
		}
		if r.gone {
			snapshot[i].ID = ""
		}
		if r.lastErr != nil {
			snapshot[i].LastError = reason(r.lastErr)
		}
		if r.state == Pending || r.state == Preparing {
			snapshot[i].WaitingFor = m.waitingFor(r)
		}
	}
	return snapshot
}

func (r *resource) runtime() string {
	if r.step.Spec != nil {
		return r.step.Spec.Runtime
	}
	if r.step.Previous != nil {
		return r.step.Previous.Runtime
	}
	return ""
}

func (r *resource) image() string {
	if r.step.Spec != nil {
		return r.step.Spec.Image
	}
	if r.step.Previous != nil {
		return r.step.Previous.Image
	}
	return ""
}

func (m *Manager) waitingFor(r *resource) []string {
	var names []string
	for _, dependency := range r.step.DependsOn {
		i, _ := m.graph.Index(dependency.Resource)
		if !m.resources[i].reached.satisfies(dependency.Condition) {
			names = append(names, dependency.Resource)
		}
	}
	return names
}

func (r reached) satisfies(condition plan.Condition) bool {
	switch condition {
	case plan.Started:
		return r.started
	case plan.Healthy:
		return r.healthy
	case plan.Completed:
		return r.completed
	case plan.Ready:
		return r.ready
	}
	panic(fmt.Sprintf("unknown condition %q", condition))
}

func (m *Manager) grace(r *resource) time.Duration {
	if m.options.Grace != nil {
		return *m.options.Grace
	}
	if r.step.Grace > 0 {
		return r.step.Grace
	}
	return m.options.DefaultGrace
}

func stack() string { return string(debug.Stack()) }
