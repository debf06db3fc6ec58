package fake

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Runtime is the fake. It implements [sdk.Runtime] and most optional
// interfaces. The zero value isn't ready: use [New].
type Runtime struct {
	mu         sync.Mutex
	scripts    map[string]Script
	containers map[string]*container
	networks   map[string]bool
	volumes    map[string]bool
	watchers   map[*watcher]struct{}
	calls      []Call
	nextID     int
	// recording is off where a test runs so many containers that the record of
	// the calls would be most of its memory.
	recording bool
	// NetworkPhase scripts EnsureNetwork, WatchPhase Watch.
	networkPhase, watchPhase Phase
}

type container struct {
	state sdk.State
	// ended is closed when the process ends.
	ended chan struct{}
	timer *time.Timer
}

// New returns a fake without containers. Resources without a script behave well.
func New(scripts map[string]Script) *Runtime {
	return &Runtime{
		scripts: scripts, recording: true,
		containers: map[string]*container{}, networks: map[string]bool{}, volumes: map[string]bool{},
		watchers: map[*watcher]struct{}{},
	}
}

// Ground scripts the creation of the network and the subscription to events.
func (r *Runtime) Ground(network, watch Phase) {
	r.networkPhase, r.watchPhase = network, watch
}

// Left names the containers and networks that exist, sorted.
func (r *Runtime) Left() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var left []string
	for _, c := range r.containers {
		left = append(left, "container "+c.state.Name)
	}
	for name := range r.networks {
		left = append(left, "network "+name)
	}
	slices.Sort(left)
	return left
}

// SetRestart implements sdk.Restarter.
func (r *Runtime) SetRestart(_ context.Context, id string, policy sdk.RestartPolicy) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.containers[id]
	if c == nil {
		return sdk.Errorf(sdk.CodeNotFound, "update", "there is no container %s", id)
	}
	c.state.Restart = policy
	return nil
}

// Prepared implements sdk.Preparer.
func (r *Runtime) Prepared(_ context.Context, spec sdk.Spec) (bool, error) {
	return !r.scripts[spec.Resource].Unprepared, nil
}

// Prepare implements sdk.Preparer.
func (r *Runtime) Prepare(ctx context.Context, spec sdk.Spec, report func(sdk.Progress)) error {
	if report != nil {
		report(sdk.Progress{Action: "pull", Status: spec.Image})
	}
	return r.play(ctx, "prepare", spec.Resource, r.scripts[spec.Resource].Prepare)
}

// Start implements sdk.Runtime.
func (r *Runtime) Start(ctx context.Context, spec sdk.Spec) (string, error) {
	script := r.scripts[spec.Resource]
	if err := r.play(ctx, "start", spec.Resource, script.Start); err != nil {
		return "", err
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.containers {
		if c.state.Name == spec.Name && spec.Name != "" {
			return "", sdk.Errorf(sdk.CodeConflict, "start", "the name %s is taken", spec.Name)
		}
	}
	r.nextID++
	c := &container{ended: make(chan struct{}), state: sdk.State{
		ID: fmt.Sprintf("id-%d", r.nextID), Name: spec.Name, Project: spec.Project, Resource: spec.Resource, Image: spec.Image,
		Status: sdk.StatusRunning, Health: sdk.HealthNone, StartedAt: time.Now(), CreatedAt: time.Now(), Labels: spec.Labels, Ports: spec.Ports, Restart: spec.Restart,
	}}
	if script.ImageCheck != nil {
		c.state.Health, c.state.Healthcheck = sdk.HealthStarting, script.ImageCheck
	}
	r.containers[c.state.ID] = c
	r.tell(sdk.EventStarted, c)
	switch {
	case script.Exits && script.ExitAfter == 0:
		r.end(c, script.ExitCode)
	case script.Exits:
		c.timer = time.AfterFunc(script.ExitAfter, func() {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.end(c, script.ExitCode)
		})
	}
	return c.state.ID, nil
}

// end marks the container as ended. The caller has the lock.
func (r *Runtime) end(c *container, code int) {
	if c.state.Ended() {
		return
	}
	c.state.Status = sdk.StatusExited
	c.state.ExitCode = &code
	c.state.FinishedAt = time.Now()
	if c.timer != nil {
		c.timer.Stop()
	}
	close(c.ended)
	r.tell(sdk.EventExited, c)
}

// WaitHealthy implements sdk.Runtime.
func (r *Runtime) WaitHealthy(ctx context.Context, id string, check *sdk.Healthcheck) (sdk.State, error) {
	c, resource := r.find(id)
	if c == nil {
		return sdk.State{}, sdk.Errorf(sdk.CodeNotFound, "wait_healthy", "there is no container %s", id)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		select {
		case <-c.ended:
			cancel(errEnded)
		case <-stop:
		}
	}()
	err := r.play(ctx, "wait", resource, r.scripts[resource].WaitHealthy)
	r.mu.Lock()
	defer r.mu.Unlock()
	if c.state.Ended() {
		e := sdk.Errorf(sdk.CodeExited, "", "exited with code %d before it was ready", *c.state.ExitCode)
		e.ExitCode = *c.state.ExitCode
		return c.state, e
	}
	if err != nil {
		return c.state, err
	}
	if check != nil && !check.Disable || r.scripts[resource].ImageCheck != nil {
		c.state.Health = sdk.HealthHealthy
	}
	return c.state, nil
}

var errEnded = fmt.Errorf("the container ended")

func (r *Runtime) find(id string) (*container, string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.containers[id]
	if c == nil {
		return nil, ""
	}
	return c, c.state.Resource
}

// Stop implements sdk.Runtime.
func (r *Runtime) Stop(ctx context.Context, id string, grace time.Duration) (err error) {
	c, resource := r.find(id)
	if c == nil {
		return nil
	}
	ended := r.record("stop", resource)
	defer func() { ended(err) }()
	script := r.scripts[resource]
	if err := script.Stop.play(ctx); err != nil {
		return err
	}
	code := 0
	if script.IgnoresStop {
		code = 137
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-c.ended:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.end(c, code)
	return nil
}

// Remove implements sdk.Remover.
func (r *Runtime) Remove(ctx context.Context, id string) error {
	c, resource := r.find(id)
	if c == nil {
		return nil
	}
	if err := r.play(ctx, "remove", resource, r.scripts[resource].Remove); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.end(c, 137)
	delete(r.containers, id)
	r.tell(sdk.EventRemoved, c)
	return nil
}

// Inspect implements sdk.Inspector.
func (r *Runtime) Inspect(_ context.Context, id string) (sdk.State, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.containers[id]
	if c == nil {
		return sdk.State{}, sdk.Errorf(sdk.CodeNotFound, "inspect", "there is no container %s", id)
	}
	return c.state, nil
}

// List implements sdk.Lister; the order is that of the ids.
func (r *Runtime) List(_ context.Context, project string) ([]sdk.State, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var states []sdk.State
	for _, c := range r.containers {
		if c.state.Project == project {
			states = append(states, c.state)
		}
	}
	slices.SortFunc(states, func(a, b sdk.State) int { return cmp.Compare(a.ID, b.ID) })
	return states, nil
}

// Logs implements sdk.Logger; following ends with the container.
func (r *Runtime) Logs(ctx context.Context, id string, options sdk.LogOptions, sink func(sdk.LogEntry) error) error {
	c, resource := r.find(id)
	if c == nil {
		return sdk.Errorf(sdk.CodeNotFound, "logs", "there is no container %s", id)
	}
	if log := r.scripts[resource].Log; log != "" {
		if err := sink(sdk.LogEntry{Stream: sdk.Stdout, Time: time.Now(), Data: []byte(log)}); err != nil {
			return err
		}
	}
	if !options.Follow {
		return nil
	}
	select {
	case <-c.ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

var (
	_ sdk.Runtime   = (*Runtime)(nil)
	_ sdk.Preparer  = (*Runtime)(nil)
	_ sdk.Remover   = (*Runtime)(nil)
	_ sdk.Inspector = (*Runtime)(nil)
	_ sdk.Lister    = (*Runtime)(nil)
	_ sdk.Logger    = (*Runtime)(nil)
	_ sdk.Networker = (*Runtime)(nil)
	_ sdk.Volumer   = (*Runtime)(nil)
	_ sdk.Watcher   = (*Runtime)(nil)
	_ sdk.Restarter = (*Runtime)(nil)
)
