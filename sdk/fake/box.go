package fake

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/conformance/workload"
)

// killedCode is the exit code of what SIGKILL ended.
const killedCode = 137

// restartPause is the time between an end and the restart.
const restartPause = 100 * time.Millisecond

// box is one container of an Engine. Its engine's lock guards it.
type box struct {
	spec      sdk.Spec
	from      image
	env       map[string]string
	state     sdk.State
	restart   sdk.RestartPolicy
	check     *sdk.Healthcheck
	root      *files
	mounts    []mounted
	anonymous []string
	log       *journal
	// ended is closed when the container has ended and isn't restarted.
	ended chan struct{}
	run   *run
}

// run is one life of a container's process.
type run struct {
	ctx    context.Context
	cancel context.CancelFunc
	// signals is nil until the program asks for them.
	signals   chan string
	listeners map[string]*listener
	sockets   map[string]*socket
	killed    bool
}

func newBox(id string, spec sdk.Spec, from image, ports []sdk.PortBinding) *box {
	env := map[string]string{"PATH": "/", "HOME": "/"}
	maps.Copy(env, from.env)
	maps.Copy(env, spec.Env)
	check := spec.Healthcheck
	if check == nil {
		check = from.check
	}
	if check != nil && len(check.Test) == 0 {
		check = nil
	}
	return &box{
		spec: spec, from: from, env: env, restart: spec.Restart, check: check, root: newFiles(0), log: newJournal(), ended: make(chan struct{}),
		state: sdk.State{
			ID: id, Name: spec.Name, Project: spec.Project, Resource: spec.Resource, Image: spec.Image, ImageID: from.id,
			Status: sdk.StatusCreated, Health: sdk.HealthNone, Healthcheck: check, CreatedAt: time.Now(), Ports: ports, Labels: spec.EngineLabels(),
		},
	}
}

// snapshot is a copy that nobody changes any more.
func (b *box) snapshot() sdk.State {
	state := b.state
	state.Labels = maps.Clone(state.Labels)
	state.Ports = slices.Clone(state.Ports)
	return state
}

func (b *box) running() bool {
	return b.state.Status == sdk.StatusRunning || b.state.Status == sdk.StatusPaused
}

// kill ends the process at once, and a restart that waits.
func (b *box) kill() {
	if b.run != nil && b.running() {
		b.run.killed = true
		b.run.cancel()
	}
}

// launch begins a life of the container. The caller has the lock.
func (e *Engine) launch(b *box) {
	ctx, cancel := context.WithCancel(context.Background())
	b.run = &run{ctx: ctx, cancel: cancel, listeners: map[string]*listener{}, sockets: map[string]*socket{}}
	b.state.Status, b.state.StartedAt, b.state.ExitCode, b.state.FinishedAt = sdk.StatusRunning, time.Now(), nil, time.Time{}
	if b.check != nil {
		b.state.Health = sdk.HealthStarting
		go e.watchHealth(b, b.run)
	}
	e.tell(sdk.EventStarted, b)
	this := b.run
	go func() {
		world := e.world(b, this, b.env, b.log.writer(sdk.Stdout), b.log.writer(sdk.Stderr))
		code := workload.Run(ctx, world, b.arguments())
		e.finish(b, this, code)
	}()
}

// arguments are those of the program.
func (b *box) arguments() []string {
	command := b.from.command
	if b.spec.Entrypoint != nil {
		return append(slices.Clone(b.spec.Entrypoint[1:]), b.spec.Command...)
	}
	if b.spec.Command != nil {
		command = b.spec.Command
	}
	return command
}

// finish notes the end of a life, and begins another if the policy says so.
func (e *Engine) finish(b *box, this *run, code int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if this.killed {
		code = killedCode
	}
	this.cancel()
	for _, l := range this.listeners {
		_ = l.Close()
	}
	for _, s := range this.sockets {
		_ = s.Close()
	}
	b.log.flush()
	b.state.ExitCode, b.state.FinishedAt = &code, time.Now()
	again := !this.killed && (b.restart.Mode == sdk.RestartAlways ||
		b.restart.Mode == sdk.RestartOnFailure && code != 0 && (b.restart.MaxRetries == 0 || b.state.Restarts < b.restart.MaxRetries))
	if !again {
		b.state.Status = sdk.StatusExited
		e.tell(sdk.EventExited, b)
		b.log.end()
		close(b.ended)
		return
	}
	b.state.Status = sdk.StatusRestarting
	e.tell(sdk.EventExited, b)
	time.AfterFunc(restartPause, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		if b.restart.Mode == "" || b.restart.Mode == sdk.RestartNo {
			b.state.Status = sdk.StatusExited
			b.log.end()
			close(b.ended)
			return
		}
		b.state.Restarts++
		e.launch(b)
	})
}

// signal sends the stop signal. The caller has the lock.
func (e *Engine) signal(b *box) {
	if b.run == nil || !b.running() {
		return
	}
	name := b.spec.Stop.Signal
	if name == "" {
		name = "SIGTERM"
	}
	if b.run.signals == nil {
		b.run.killed = true // nobody handles it, so it ends the process
		b.run.cancel()
		return
	}
	select {
	case b.run.signals <- name:
	default:
	}
}

// world is what a process of the container sees.
func (e *Engine) world(b *box, this *run, env map[string]string, stdout, stderr *lineWriter) workload.World {
	w := workload.World{
		Stdout: stdout, Stderr: stderr,
		Notify: func() <-chan string {
			e.mu.Lock()
			defer e.mu.Unlock()
			if this.signals == nil {
				this.signals = make(chan string, 1)
			}
			return this.signals
		},
		Listen:       e.listenIn(this),
		ListenPacket: e.listenPacketIn(this),
		Dial:         e.dialFrom(b),
		ReadFile:     b.readFile,
		WriteFile:    b.writeFile,
		Allocate:     func(size int64) error { return e.allocate(b, this, size) },
		Self:         func() workload.Self { return b.self(b.arguments(), env, b.spec.User, b.spec.WorkingDir) },
	}
	for name, value := range env {
		w.Environ = append(w.Environ, name+"="+value)
	}
	return w
}

// allocate kills a container that takes more memory than it may.
func (e *Engine) allocate(b *box, this *run, size int64) error {
	limit := b.spec.Limits.MemoryBytes
	if limit == 0 || size <= limit {
		return nil
	}
	e.mu.Lock()
	b.state.OOMKilled = true
	e.tell(sdk.EventOOM, b)
	this.killed = true
	this.cancel()
	e.mu.Unlock()
	return context.Canceled
}

func (b *box) self(arguments []string, env map[string]string, user, dir string) workload.Self {
	s := workload.Self{
		Args: arguments, Env: env, Dir: dir, Hostname: b.spec.Hostname, PID: 1,
		Memory: b.spec.Limits.MemoryBytes, CPU: b.spec.Limits.NanoCPUs, PIDs: b.spec.Limits.PIDs,
	}
	if dir == "" {
		s.Dir = "/"
	}
	if s.Hostname == "" {
		s.Hostname = b.state.ID
	}
	if b.spec.Init {
		s.PID = 2
	}
	uid, gid, _ := strings.Cut(user, ":")
	s.UID, _ = strconv.Atoi(uid)
	s.GID, _ = strconv.Atoi(gid)
	return s
}
