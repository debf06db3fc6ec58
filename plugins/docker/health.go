package docker

import (
	"context"
	"errors"
	"fmt"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/probe"
)

// errEngineHealthy ends our own probing when the engine's succeeded first.
var errEngineHealthy = errors.New("the engine calls it healthy")

// WaitHealthy implements sdk.Runtime. A command is run inside the container at
// once and then as sdk/probe says, because the engine's own first check comes
// only after a whole interval. The container's end, and the engine's own
// verdict, end the wait at once.
func (r *Runtime) WaitHealthy(ctx context.Context, id string, check *sdk.Healthcheck) (sdk.State, error) {
	if check != nil && (check.HTTP != nil || check.TCP != nil) {
		return sdk.State{}, sdk.Errorf(sdk.CodeUnsupported, "healthcheck", "the engine can't make network checks; the program makes them itself")
	}
	subscription, unsubscribe, err := r.events.subscribe(ctx)
	if err != nil {
		return sdk.State{}, err
	}
	defer unsubscribe()
	if check == nil || check.Disable {
		return r.waitImageHealthy(ctx, subscription, id, check)
	}
	return r.waitChecked(ctx, subscription, id, *check)
}

// waitImageHealthy looks what the image says about its health. Without a
// healthcheck, running is enough.
func (r *Runtime) waitImageHealthy(ctx context.Context, subscription *subscription, id string, check *sdk.Healthcheck) (sdk.State, error) {
	state, own, err := r.inspect(ctx, id)
	if err != nil {
		return state, err
	}
	if state.Ended() {
		return state, exited(state)
	}
	if own == nil || check != nil {
		return state, notRunning(state)
	}
	return r.waitChecked(ctx, subscription, id, *own)
}

// notRunning is an error for a container that hasn't come to run, such as one
// that somebody has paused.
func notRunning(state sdk.State) error {
	if state.Status == sdk.StatusRunning {
		return nil
	}
	return sdk.Errorf(sdk.CodeInternal, "healthcheck", "the container is %s", state.Status)
}

func (r *Runtime) waitChecked(ctx context.Context, subscription *subscription, id string, check sdk.Healthcheck) (sdk.State, error) {
	probing, cancel := context.WithCancelCause(ctx)
	listening := make(chan struct{})
	go func() {
		defer close(listening)
		listen(probing, subscription, id, cancel)
	}()
	err := r.probe(probing, id, check)
	cause := context.Cause(probing)
	cancel(nil)
	<-listening
	if err != nil && ctx.Err() == nil && cause != nil {
		err = verdict(cause, err)
	}
	if sdk.IsCode(err, sdk.CodeExited) {
		return r.howItEnded(ctx, id, err)
	}
	if err != nil {
		return sdk.State{}, err
	}
	state, _, err := r.inspect(ctx, id)
	if err == nil && state.Ended() {
		err = exited(state)
	}
	return state, err
}

func (r *Runtime) probe(ctx context.Context, id string, check sdk.Healthcheck) error {
	if check.Log != nil {
		return probe.Log(ctx, r, id, *check.Log)
	}
	return probe.Until(ctx, check, probe.Exec(r, id, check.Test))
}

// listen ends the probing when an event decides.
func listen(ctx context.Context, subscription *subscription, id string, end context.CancelCauseFunc) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-subscription.filled:
		}
		for _, event := range subscription.take() {
			if event.Type == sdk.EventLost {
				end(event.Err)
				return
			}
			if event.ID == id {
				decide(event.Event, end)
			}
		}
	}
}

func decide(event sdk.Event, end context.CancelCauseFunc) {
	switch event.Type {
	case sdk.EventExited, sdk.EventRemoved:
		e := sdk.Errorf(sdk.CodeExited, "", "exited with code %d before it was ready", event.ExitCode)
		e.ExitCode = event.ExitCode
		end(e)
	case sdk.EventHealthy:
		end(errEngineHealthy)
	case sdk.EventUnhealthy:
		end(sdk.Errorf(sdk.CodeUnhealthy, "healthcheck", "the engine calls it unhealthy"))
	case sdk.EventStarted, sdk.EventOOM, sdk.EventPaused, sdk.EventUnpaused, sdk.EventLost:
	}
}

// verdict is what the event that ended the probing means, with what the last
// check printed.
func verdict(cause, probeErr error) error {
	if errors.Is(cause, errEngineHealthy) {
		return nil
	}
	e, ok := errors.AsType[*sdk.Error](cause)
	last, hasLast := errors.AsType[*sdk.Error](probeErr)
	if !ok || !hasLast {
		return cause
	}
	with := *e
	with.Output = last.Output
	return &with
}

// howItEnded completes the error for a container that ended, as far as there
// is still something to see of it.
func (r *Runtime) howItEnded(ctx context.Context, id string, err error) (sdk.State, error) {
	state, _, inspectErr := r.inspect(ctx, id)
	if inspectErr != nil || !state.Ended() {
		return state, err
	}
	with := exited(state)
	if e, ok := errors.AsType[*sdk.Error](err); ok {
		with.Output = e.Output
	}
	return state, with
}

// exited is the error for a container that ended before it was ready.
func exited(state sdk.State) *sdk.Error {
	code := 0
	if state.ExitCode != nil {
		code = *state.ExitCode
	}
	e := &sdk.Error{Code: sdk.CodeExited, ExitCode: code, Err: fmt.Errorf("exited with code %d before it was ready", code)}
	if state.OOMKilled {
		e.Err = fmt.Errorf("was killed for lack of memory (exit code %d)", code)
		e.Hint = "raise limits.memory, or see why it needs so much"
	}
	if state.Error != "" {
		e.Err = fmt.Errorf("%w: %s", e.Err, state.Error)
	}
	return e
}
