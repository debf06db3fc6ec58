package nerdctl

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/probe"
)

// WaitHealthy implements sdk.Runtime. A command is run inside the container at
// once and then as sdk/probe says; that the container has ended, the command
// itself runs into.
func (r *Runtime) WaitHealthy(ctx context.Context, id string, check *sdk.Healthcheck) (sdk.State, error) {
	switch {
	case check == nil:
		return r.waitAsImageSays(ctx, id)
	case check.HTTP != nil || check.TCP != nil:
		return sdk.State{}, sdk.Errorf(sdk.CodeUnsupported, "healthcheck", "the engine can't make network checks; the program makes them itself")
	case check.Disable:
		return r.waitRunning(ctx, id)
	}
	return r.waitChecked(ctx, id, *check)
}

// waitAsImageSays waits for the image's own healthcheck. Without one, running
// is enough.
func (r *Runtime) waitAsImageSays(ctx context.Context, id string) (sdk.State, error) {
	state, err := r.waitRunning(ctx, id)
	if err != nil || state.Healthcheck == nil {
		return state, err
	}
	state, err = r.waitChecked(ctx, id, *state.Healthcheck)
	if err == nil {
		// Nobody else says so: its check passed just now.
		state.Health = sdk.HealthHealthy
	}
	return state, err
}

const (
	runningPause     = 20 * time.Millisecond
	runningPauseMost = 500 * time.Millisecond
)

// waitRunning waits until a look finds the container running. It nearly always
// is at the first, as Start returns when it runs.
func (r *Runtime) waitRunning(ctx context.Context, id string) (sdk.State, error) {
	for pause := runningPause; ; pause = min(2*pause, runningPauseMost) {
		state, err := r.Inspect(ctx, id)
		if err != nil {
			return state, err
		}
		if state.Ended() {
			return state, exited(state)
		}
		if state.Status == sdk.StatusRunning {
			return state, nil
		}
		if err := r.host.Sleep(ctx, pause); err != nil {
			return state, contextEnded(ctx, "healthcheck", "")
		}
	}
}

// waitChecked looks at the container while the first check is made, because a
// process more after the last would hold up all that wait for it.
func (r *Runtime) waitChecked(ctx context.Context, id string, check sdk.Healthcheck) (sdk.State, error) {
	looking, enough := context.WithCancel(ctx)
	looked := make(chan sdk.State, 1)
	go func() {
		state, _ := r.Inspect(looking, id) // what it can't tell is asked for again
		looked <- state
	}()
	var err error
	var ended bool
	if check.Log != nil {
		err = probe.Log(ctx, r, id, *check.Log)
	} else {
		ended, err = r.probe(ctx, id, check)
	}
	if err != nil {
		enough()
	}
	early := <-looked
	enough()
	if err == nil && !ended && early.Status == sdk.StatusRunning {
		return early, nil
	}
	if err != nil && !ended && !sdk.IsCode(err, sdk.CodeExited) {
		return sdk.State{}, err
	}
	state, lookErr := r.Inspect(ctx, id)
	if lookErr != nil && err == nil {
		return state, lookErr
	}
	if ended && gone(lookErr) {
		return state, removed()
	}
	if lookErr == nil && state.Ended() {
		e := exited(state)
		if last, ok := errors.AsType[*sdk.Error](err); ok {
			e.Output = last.Output
		}
		return state, e
	}
	if ended && lookErr != nil {
		return state, lookErr
	}
	return state, err
}

// guardDelay is how long a wait relies on the check to notice the container's
// end. Nearly every wait is over by then, and costs no process more.
const guardDelay = time.Second

// probe makes the check, and says whether the container ended meanwhile: checks
// may be far apart.
func (r *Runtime) probe(ctx context.Context, id string, check sdk.Healthcheck) (ended bool, err error) {
	probing, stop := context.WithCancel(ctx)
	defer stop()
	guarded := make(chan bool, 1)
	go func() {
		over := r.awaitEnd(probing, id)
		if over {
			stop()
		}
		guarded <- over
	}()
	err = probe.Until(probing, check, r.attempts(id, check.Test))
	stop()
	return <-guarded, err
}

// awaitEnd waits for the container's end, and says whether it came.
func (r *Runtime) awaitEnd(ctx context.Context, id string) bool {
	if r.host.Sleep(ctx, guardDelay) != nil {
		return false
	}
	_, err := r.run(ctx, call{op: "wait", args: []string{"wait", id}, waits: true, slow: true})
	return ctx.Err() == nil && (err == nil || gone(err))
}

func removed() error {
	return &sdk.Error{Code: sdk.CodeExited, Op: "healthcheck", Err: errors.New("it was removed before it was ready")}
}

// attempts run the check by exec. An exec that fails may be the container's end,
// which the engine tells in many words, or bad luck: so it is looked at.
func (r *Runtime) attempts(id string, test []string) probe.Attempt {
	execute := probe.Exec(r, id, test)
	return func(ctx context.Context) (probe.Result, error) {
		result, err := execute(ctx)
		if err == nil || ctx.Err() != nil {
			return result, err
		}
		state, lookErr := r.Inspect(ctx, id)
		switch {
		case gone(lookErr):
			return result, removed()
		case lookErr != nil:
			return result, lookErr
		case state.Ended():
			return result, exited(state)
		}
		return probe.Result{Output: err.Error()}, nil
	}
}

// exited is the error for a container that ended before it was ready.
func exited(state sdk.State) *sdk.Error {
	code := 0
	if state.ExitCode != nil {
		code = *state.ExitCode
	}
	e := &sdk.Error{Code: sdk.CodeExited, ExitCode: code, Op: "healthcheck", Err: fmt.Errorf("exited with code %d before it was ready", code)}
	if state.OOMKilled {
		e.Err = fmt.Errorf("was killed for lack of memory (exit code %d)", code)
		e.Hint = "raise its memory limit, or see why it needs so much"
	}
	if state.Error != "" {
		e.Err = fmt.Errorf("%w: %s", e.Err, state.Error)
	}
	return e
}
