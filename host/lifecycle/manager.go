package lifecycle

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/lightshuttle/lightshuttle/host/graph"
	"github.com/lightshuttle/lightshuttle/host/plan"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// The defaults of Options.
const (
	DefaultGrace        = 10 * time.Second
	DefaultStartTimeout = 60 * time.Second
	DefaultParallel     = 16
)

// Options adjust a Manager. The zero value of each field means its default.
type Options struct {
	// DefaultGrace is the grace period of resources that have none of their
	// own; 10 s.
	DefaultGrace time.Duration
	// Grace, if not nil, is the grace period of every resource, whatever its
	// own. Zero kills at once.
	Grace *time.Duration
	// StartTimeout is the least time that a resource gets to become ready, if
	// it doesn't say itself; 60 s. A longer healthcheck extends it.
	StartTimeout time.Duration
	// Parallel bounds how many images are prepared at a time, and how many
	// containers are created and started at a time; 16. Waiting for readiness
	// isn't bounded.
	Parallel int
	// NoRollback leaves everything as it is when the start fails.
	NoRollback bool
	// Detached gives the containers to the engine, with their restart policies:
	// the program is going to leave.
	Detached bool
	// AbortOnExit makes Run stop the stack when any container exits that isn't
	// meant to complete.
	AbortOnExit bool
	// NetworkProbe waits for the healthchecks that need a network (HTTP and
	// TCP); package host/probe has one. Without it they are unsupported.
	NetworkProbe func(ctx context.Context, runtime sdk.Inspector, id string, check sdk.Healthcheck) error
	// Progress is told how the preparation of images goes. It is called from
	// several goroutines and must not block.
	Progress func(resource string, progress sdk.Progress)
	// Logger gets what isn't worth an event; nothing by default.
	Logger *slog.Logger
	// Subscription, if not nil, is the one to hear the engine's events by; without,
	// the start makes one.
	Subscription *Subscription
}

// Manager runs the stack of one plan on one runtime. Its methods may be called
// from any goroutine. It must be closed.
type Manager struct {
	plan    *plan.Plan
	runtime sdk.Runtime
	options Options
	logger  *slog.Logger
	// runID marks the containers that this Manager creates.
	runID  string
	events *EventLog
	inbox  *inbox
	// base is the context of all work; it ends with Close.
	base     context.Context
	end      context.CancelFunc
	loopDone chan struct{}
	// listeners are the goroutines that last as long as the manager.
	listeners sync.WaitGroup
	// aborted gets the first exit that is to end the run; see AbortOnExit.
	aborted chan *ExitedError

	// All that follows belongs to the owner.

	graph     *graph.Graph
	resources []*resource // by index in graph
	phase     phase
	// inFlight counts the workers that have not posted their end.
	inFlight int
	prepares limiter
	starts   limiter
	ground   ground
	watch    watch
	start    *startRun
	stop     *stopRun
	// queuedStops are the stops that wait for the end of a start.
	queuedStops []queuedStop
	// killRequested outlives the run that it was meant for: a kill during a
	// start is a kill of its rollback.
	killRequested bool
	closing       bool
}

// phase is what the stack as a whole is doing.
type phase string

const (
	phaseIdle     phase = "idle"
	phaseStarting phase = "starting"
	phaseRunning  phase = "running"
	phaseStopping phase = "stopping"
	// phaseFailed is after a start that failed, rolled back or not.
	phaseFailed  phase = "failed"
	phaseStopped phase = "stopped"
)

// New returns a Manager that has done nothing yet. It fails when the plan's
// dependencies don't make a graph.
func New(p *plan.Plan, runtime sdk.Runtime, options Options) (*Manager, error) {
	nodes := make([]graph.Node, len(p.Steps))
	for i, step := range p.Steps {
		nodes[i] = graph.Node{Name: step.Resource, DependsOn: step.DependencyNames()}
	}
	dependencies, err := graph.New(nodes)
	if err != nil {
		return nil, fmt.Errorf("plan of project %s: %w", p.Project, err)
	}
	if options.DefaultGrace <= 0 {
		options.DefaultGrace = DefaultGrace
	}
	if options.StartTimeout <= 0 {
		options.StartTimeout = DefaultStartTimeout
	}
	if options.Parallel <= 0 {
		options.Parallel = DefaultParallel
	}
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	base, end := context.WithCancel(context.Background())
	m := &Manager{
		plan: p, runtime: runtime, options: options, logger: options.Logger,
		runID:    rand.Text(),
		events:   newEventLog(1024 + 16*uint64(len(p.Steps))),
		inbox:    newInbox(),
		base:     base,
		end:      end,
		loopDone: make(chan struct{}),
		aborted:  make(chan *ExitedError, 1),
		graph:    dependencies,
		phase:    phaseIdle,
		prepares: limiter{limit: options.Parallel},
		starts:   limiter{limit: options.Parallel},
	}
	m.resources = newResources(p, dependencies)
	go m.loop()
	return m, nil
}

// Start starts every resource of the plan in dependency order and returns when
// all are ready. When one fails, or ctx ends, everything in flight is
// cancelled, what was created is removed again, and the error is a
// [*StartError]. Start may be called once.
func (m *Manager) Start(ctx context.Context) error {
	return m.request(func(reply chan<- error) { m.beginStart(ctx, reply) })
}

// Stop stops and removes every container of the plan in reverse dependency
// order, then the network. Called during a start, it ends that first. When ctx
// ends, everything that still runs is killed at once, and still removed. The
// error is a [*StopError]. A stack that was stopped can't be started again.
func (m *Manager) Stop(ctx context.Context) error {
	return m.request(func(reply chan<- error) { m.requestStop(ctx, reply) })
}

// Kill makes a stop or rollback that is under way, or the next one, kill
// everything at once instead of waiting for grace periods.
func (m *Manager) Kill() { m.inbox.post(m.kill) }

// Restart stops, removes and starts one resource again and waits until it is
// ready, then restarts what is to be restarted with it. It is refused with
// CodeConflict while the stack isn't up, or while another operation on the
// resource is under way, and with CodeNotFound for a resource that doesn't
// exist. The end of ctx ends the wait, not the restart.
func (m *Manager) Restart(ctx context.Context, resource string) error {
	return m.request(func(reply chan<- error) { m.beginRestart(ctx, resource, reply) })
}

// StopResource stops one resource and leaves its container as it is, for its
// logs; nothing starts it again but StartResource, Restart or the next start of
// the stack. It is refused as Restart is. The end of ctx ends the wait, not the
// stop.
func (m *Manager) StopResource(ctx context.Context, resource string) error {
	return m.request(func(reply chan<- error) { m.beginStopResource(ctx, resource, reply) })
}

// StartResource starts a resource that doesn't run and waits until it is ready,
// after those that it depends on and that don't run either. One that runs is
// left alone. It is refused as Restart is.
func (m *Manager) StartResource(ctx context.Context, resource string) error {
	var names []string
	err := m.request(func(reply chan<- error) {
		var err error
		names, err = m.startOrder(resource)
		reply <- err
	})
	for _, name := range names {
		if err != nil {
			return err
		}
		err = m.request(func(reply chan<- error) { m.beginStartResource(ctx, name, reply) })
	}
	return err
}

// Events returns the log of all that happened and will happen.
func (m *Manager) Events() *EventLog { return m.events }

// Snapshot returns what is known of every resource, in the plan's order.
func (m *Manager) Snapshot() []Resource {
	var snapshot []Resource
	_ = m.request(func(reply chan<- error) {
		snapshot = m.snapshot()
		reply <- nil
	})
	if snapshot == nil {
		// The owner has gone, and with it all who could change a resource.
		snapshot = m.snapshot()
	}
	return snapshot
}

// Close ends all that goes on and waits for its end. Containers are left as
// they are: Close isn't Stop.
func (m *Manager) Close() {
	m.inbox.post(func() { m.closing = true })
	m.end()
	<-m.loopDone
	m.listeners.Wait()
}

var errClosed = errors.New("the manager is closed")

// request has the owner begin something, and waits for the owner's reply.
func (m *Manager) request(begin func(reply chan<- error)) error {
	reply := make(chan error, 1)
	m.inbox.post(func() { begin(reply) })
	select {
	case err := <-reply:
		return err
	case <-m.loopDone:
	}
	select {
	case err := <-reply: // it came with the owner's last breath
		return err
	default:
		return errClosed
	}
}

// loop is the owner: it handles what is posted until the manager is closed and
// the last worker has ended.
func (m *Manager) loop() {
	defer close(m.loopDone)
	defer m.events.close()
	var batch []func()
	for range m.inbox.filled {
		batch = m.inbox.take(batch)
		for _, message := range batch {
			message()
			if m.phase == phaseStarting {
				m.finishStartIfDone()
			}
		}
		if m.closing && m.inFlight == 0 {
			return
		}
	}
}

// spawn runs work in a goroutine and has the owner call done with what came of
// it. A panic in work is its error.
func (m *Manager) spawn(work func() error, done func(error)) {
	m.inFlight++
	go func() {
		err := recovered(work)
		m.inbox.post(func() {
			m.inFlight--
			done(err)
		})
	}()
}

func recovered(work func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = panicError(cause)
		}
	}()
	return work()
}

func panicError(cause any) error {
	return &sdk.Error{
		Code: sdk.CodeInternal, Err: fmt.Errorf("panic: %v", cause), Output: stack(),
		Hint: "this is a bug in LightShuttle or in the runtime: please report it with the output above",
	}
}

func (m *Manager) emit(event Event) {
	event.Time = time.Now()
	m.events.append(event)
}
