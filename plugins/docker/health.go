package docker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/probe"
)

// WaitHealthy implements sdk.Runtime. A command is run inside the container at
// once and then as sdk/probe says, because the engine's own first check comes
// only after a whole interval. The container's end, and the engine's own
// verdict, end the wait at once.
func (r *Runtime) WaitHealthy(ctx context.Context, id string, check *sdk.Healthcheck) (sdk.State, error) {
	switch {
	case check == nil:
		return r.waitTested(ctx, id, nil)
	case check.HTTP != nil || check.TCP != nil:
		return sdk.State{}, sdk.Errorf(sdk.CodeUnsupported, "healthcheck", "the engine can't make network checks; the program makes them itself")
	case check.Disable:
		return r.waitRunning(ctx, id)
	case check.Log != nil:
		return r.waitChecked(ctx, id, *check)
	}
	return r.waitTested(ctx, id, check)
}

// waitTested waits until a command passes: that of check, or if it is nil, that
// of the image's own healthcheck; without one, running is enough. It looks
// first: a container that has run for a while needs no probe, which is fifty
// times as dear as a look.
func (r *Runtime) waitTested(ctx context.Context, id string, check *sdk.Healthcheck) (sdk.State, error) {
	state, err := r.Inspect(ctx, id)
	if err != nil || state.Ended() {
		return state, orExited(state, err)
	}
	if check == nil {
		check = state.Healthcheck
	}
	running := state.Status == sdk.StatusRunning
	switch {
	case check == nil && running, running && saysHealthy(state, check):
		return state, nil
	case check == nil:
		return r.waitRunning(ctx, id)
	}
	return r.waitChecked(ctx, id, *check)
}

// saysHealthy says whether the engine has seen this very check pass.
func saysHealthy(state sdk.State, check *sdk.Healthcheck) bool {
	return state.Health == sdk.HealthHealthy && state.Healthcheck != nil && slices.Equal(state.Healthcheck.Test, check.Test)
}

// waitRunning waits until a look finds the container running.
func (r *Runtime) waitRunning(ctx context.Context, id string) (sdk.State, error) {
	heard, leave, err := r.events.subscribe(ctx, time.Time{})
	if err != nil {
		return sdk.State{}, err
	}
	defer leave()
	for {
		state, err := r.Inspect(ctx, id)
		if err != nil || state.Ended() {
			return state, orExited(state, err)
		}
		if state.Status == sdk.StatusRunning {
			return state, nil
		}
		if err := r.anyEvent(ctx, heard, id); err != nil {
			return state, err
		}
	}
}

// anyEvent returns at the next event of the container.
func (r *Runtime) anyEvent(ctx context.Context, heard *subscription, id string) error {
	for {
		select {
		case <-ctx.Done():
			return contextEnded(ctx, "wait", "")
		case <-heard.filled:
		}
		for _, event := range heard.take() {
			if event.Type == sdk.EventLost {
				return event.Err
			}
			if event.ID == id {
				return nil
			}
		}
	}
}

// waitChecked makes the check while it listens for what decides sooner. The
// first attempt is under way before the subscription stands: what happens to
// the container in between, the attempt itself runs into.
func (r *Runtime) waitChecked(ctx context.Context, id string, check sdk.Healthcheck) (sdk.State, error) {
	probing, stop := context.WithCancel(ctx)
	defer stop()
	probed := make(chan error, 1)
	go func() { probed <- r.probe(probing, id, check) }()

	heard, leave, err := r.events.subscribe(ctx, time.Time{})
	if err != nil {
		stop()
		err = withOutputOf(err, <-probed)
		return sdk.State{}, err
	}
	defer leave()
	for {
		select {
		case err := <-probed:
			return r.checked(ctx, id, err)
		case <-heard.filled:
		}
		for _, event := range heard.take() {
			state, decided, err := r.decides(ctx, id, event.Event)
			if !decided {
				continue
			}
			stop()
			return state, withOutputOf(err, <-probed)
		}
	}
}

func (r *Runtime) probe(ctx context.Context, id string, check sdk.Healthcheck) error {
	if check.Log != nil {
		return probe.Log(ctx, r, id, *check.Log)
	}
	return probe.Until(ctx, check, probe.Exec(r, id, check.Test))
}

// checked is the outcome of a wait in which the check itself came to an end.
func (r *Runtime) checked(ctx context.Context, id string, err error) (sdk.State, error) {
	if err != nil && !sdk.IsCode(err, sdk.CodeExited) {
		return sdk.State{}, err
	}
	state, lookErr := r.Inspect(ctx, id)
	switch {
	case lookErr == nil && state.Ended():
		return state, withOutputOf(exited(state), err)
	case err != nil:
		return state, err
	}
	return state, lookErr
}

// decides says whether the event ends the wait, and how. An event may be older
// than the container's present run, so nothing is decided without a look.
func (r *Runtime) decides(ctx context.Context, id string, event sdk.Event) (sdk.State, bool, error) {
	if event.Type == sdk.EventLost {
		return sdk.State{}, true, event.Err
	}
	if event.ID != id {
		return sdk.State{}, false, nil
	}
	switch event.Type {
	case sdk.EventRemoved:
		return sdk.State{}, true, &sdk.Error{Code: sdk.CodeExited, Op: "healthcheck", Err: errors.New("it was removed before it was ready")}
	case sdk.EventExited, sdk.EventHealthy, sdk.EventUnhealthy:
	case sdk.EventStarted, sdk.EventOOM, sdk.EventPaused, sdk.EventUnpaused, sdk.EventLost:
		return sdk.State{}, false, nil
	}
	state, err := r.Inspect(ctx, id)
	if err != nil {
		return r.unseen(state, event, err)
	}
	if state.Ended() {
		return state, true, exited(state)
	}
	if !state.StartedAt.Before(event.Time) {
		return state, false, nil
	}
	switch event.Type {
	case sdk.EventHealthy:
		return state, true, nil
	case sdk.EventUnhealthy:
		return state, true, &sdk.Error{
			Code: sdk.CodeUnhealthy, Op: "healthcheck", Output: state.HealthOutput,
			Err: errors.New("the engine calls it unhealthy: its healthcheck used up its retries"),
		}
	}
	// It ended, but its state doesn't say so yet.
	return state, true, exitedWith(event.ExitCode)
}

// unseen decides without a look, where that wasn't possible.
func (r *Runtime) unseen(state sdk.State, event sdk.Event, err error) (sdk.State, bool, error) {
	if event.Type == sdk.EventExited && sdk.IsCode(err, sdk.CodeNotFound) {
		return state, true, exitedWith(event.ExitCode)
	}
	return state, true, err
}

// withOutputOf adds to err what the last check printed, which the probe's own
// error knows.
func withOutputOf(err, probeErr error) error {
	e, ok := errors.AsType[*sdk.Error](err)
	last, hasLast := errors.AsType[*sdk.Error](probeErr)
	if !ok || !hasLast || e.Output != "" {
		return err
	}
	with := *e
	with.Output = last.Output
	return &with
}

func orExited(state sdk.State, err error) error {
	if err != nil {
		return err
	}
	return exited(state)
}

func exitedWith(code int) *sdk.Error {
	return &sdk.Error{Code: sdk.CodeExited, ExitCode: code, Op: "healthcheck", Err: fmt.Errorf("exited with code %d before it was ready", code)}
}

// exited is the error for a container that ended before it was ready.
func exited(state sdk.State) *sdk.Error {
	code := 0
	if state.ExitCode != nil {
		code = *state.ExitCode
	}
	e := exitedWith(code)
	if state.OOMKilled {
		e.Err = fmt.Errorf("was killed for lack of memory (exit code %d)", code)
		e.Hint = "raise its memory limit, or see why it needs so much"
	}
	if state.Error != "" {
		e.Err = fmt.Errorf("%w: %s", e.Err, state.Error)
	}
	return e
}
