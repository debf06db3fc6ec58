package fake

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"sync"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/conformance/workload"
	"github.com/lightshuttle/lightshuttle/sdk/probe"
)

// Exec implements sdk.Execer.
func (e *Engine) Exec(ctx context.Context, id string, options sdk.ExecOptions) (int, error) {
	b, err := e.look(ctx, "exec", id)
	if err != nil {
		return 0, err
	}
	e.mu.Lock()
	this, running := b.run, b.running()
	e.mu.Unlock()
	if !running {
		return 0, sdk.Errorf(sdk.CodeExited, "exec", "the container isn't running")
	}
	var mu sync.Mutex
	stdout, stderr := &lineWriter{to: orDiscard(options.Stdout), mu: &mu}, &lineWriter{to: orDiscard(options.Stderr), mu: &mu}
	if options.Command[0] != Program {
		fmt.Fprintf(stderr, "there is no program %s\n", options.Command[0])
		return 127, nil
	}
	env := maps.Clone(b.env)
	maps.Copy(env, options.Env)
	user, dir := options.User, options.WorkingDir
	if user == "" {
		user = b.spec.User
	}
	if dir == "" {
		dir = b.spec.WorkingDir
	}
	world := e.world(b, &run{listeners: map[string]*listener{}, sockets: map[string]*socket{}}, env, stdout, stderr)
	world.Self = func() workload.Self { return b.self(options.Command[1:], env, user, dir) }
	both, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(this.ctx, cancel)()
	code := workload.Run(both, world, options.Command[1:])
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if this.ctx.Err() != nil {
		return killedCode, nil
	}
	return code, nil
}

func orDiscard(w io.Writer) io.Writer {
	if w == nil {
		return io.Discard
	}
	return w
}

// WaitHealthy implements sdk.Runtime.
func (e *Engine) WaitHealthy(ctx context.Context, id string, check *sdk.Healthcheck) (sdk.State, error) {
	b, err := e.look(ctx, "healthcheck", id)
	if err != nil {
		return sdk.State{}, err
	}
	e.mu.Lock()
	ended := b.ended
	e.mu.Unlock()
	if check == nil {
		check = b.check
	}
	if check != nil && (check.HTTP != nil || check.TCP != nil) {
		return sdk.State{}, sdk.Errorf(sdk.CodeUnsupported, "healthcheck", "network checks are the program's work")
	}
	probing, stop := context.WithCancel(ctx)
	defer stop()
	probed := make(chan error, 1)
	go func() { probed <- e.probe(probing, id, check) }()
	select {
	case err = <-probed:
	case <-ended:
		stop()
		err = <-probed
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if b.state.Ended() {
		exited := sdk.Errorf(sdk.CodeExited, "healthcheck", "exited with code %d before it was ready", *b.state.ExitCode)
		exited.ExitCode = *b.state.ExitCode
		return b.snapshot(), exited
	}
	return b.snapshot(), err
}

func (e *Engine) probe(ctx context.Context, id string, check *sdk.Healthcheck) error {
	switch {
	case check == nil || check.Disable:
		return ctx.Err()
	case check.Log != nil:
		return probe.Log(ctx, e, id, *check.Log)
	}
	return probe.Until(ctx, *check, probe.Exec(e, id, check.Test))
}

// watchHealth is the engine's own healthcheck, once an interval.
func (e *Engine) watchHealth(b *box, this *run) {
	interval, timeout, retries := b.check.Interval.Std(), b.check.Timeout.Std(), b.check.Retries
	if interval == 0 {
		interval = probe.DefaultInterval
	}
	if timeout == 0 {
		timeout = probe.DefaultTimeout
	}
	if retries == 0 {
		retries = probe.DefaultRetries
	}
	failures := 0
	for pass(this.ctx, interval) == nil {
		var output bytes.Buffer
		ctx, cancel := context.WithTimeout(this.ctx, timeout)
		code, err := e.Exec(ctx, b.state.ID, sdk.ExecOptions{Command: b.check.Test, Stdout: &output, Stderr: &output})
		cancel()
		failures++
		health := sdk.HealthUnhealthy
		if err == nil && code == 0 {
			failures, health = 0, sdk.HealthHealthy
		}
		e.setHealth(b, this, health, health == sdk.HealthHealthy || failures >= retries, output.String())
	}
}

func (e *Engine) setHealth(b *box, this *run, health sdk.Health, decided bool, output string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	b.state.HealthOutput = output
	if this.ctx.Err() != nil || !decided || b.state.Health == health {
		return
	}
	b.state.Health = health
	event := sdk.EventHealthy
	if health == sdk.HealthUnhealthy {
		event = sdk.EventUnhealthy
	}
	e.tell(event, b)
}
