//go:build unix

package process

import (
	"context"
	"errors"
	"fmt"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/probe"
)

// WaitHealthy implements sdk.Runtime. The command of a check is run as Exec
// does.
func (r *Runtime) WaitHealthy(ctx context.Context, id string, check *sdk.Healthcheck) (sdk.State, error) {
	if check != nil && (check.HTTP != nil || check.TCP != nil) {
		return sdk.State{}, sdk.Errorf(sdk.CodeUnsupported, "healthcheck", "the program makes network checks itself")
	}
	state, err := r.Inspect(ctx, id)
	if err != nil || state.Ended() {
		return state, orExited(state, err)
	}
	if check == nil || check.Disable {
		return state, nil // it runs: Start returns no sooner
	}
	probing, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		if r.waitEnd(probing, id) == nil {
			stop(errEnded)
		}
	}()
	err = r.probe(probing, id, *check)
	stop(nil)
	<-watching
	if err != nil && ctx.Err() != nil {
		return sdk.State{}, err
	}
	state, lookErr := r.Inspect(context.WithoutCancel(ctx), id)
	if lookErr == nil && state.Ended() {
		return state, withOutputOf(exited(state), err)
	}
	if sdk.IsCode(lookErr, sdk.CodeNotFound) {
		return state, withOutputOf(&sdk.Error{Code: sdk.CodeExited, Op: "healthcheck", Err: errors.New("it was removed before it was ready")}, err)
	}
	if err != nil {
		return state, err
	}
	return state, lookErr
}

var errEnded = errors.New("the process has ended")

func (r *Runtime) probe(ctx context.Context, id string, check sdk.Healthcheck) error {
	if check.Log != nil {
		return probe.Log(ctx, r, id, *check.Log)
	}
	return probe.Until(ctx, check, probe.Exec(r, id, check.Test))
}

// waitEnd returns nil when the process has ended.
func (r *Runtime) waitEnd(ctx context.Context, id string) error {
	// Any answer will do: a supervisor that has gone took the process with it.
	_, _ = r.ask(ctx, projectOf(id), request{Op: opWait, ID: id})
	return context.Cause(ctx)
}

func orExited(state sdk.State, err error) error {
	if err != nil {
		return err
	}
	return exited(state)
}

// exited is the error for a process that ended before it was ready.
func exited(state sdk.State) *sdk.Error {
	code := 0
	if state.ExitCode != nil {
		code = *state.ExitCode
	}
	e := &sdk.Error{Code: sdk.CodeExited, ExitCode: code, Op: "healthcheck", Err: fmt.Errorf("exited with code %d before it was ready", code)}
	if state.Error != "" {
		e.Err = fmt.Errorf("%w: %s", e.Err, state.Error)
	}
	return e
}

// withOutputOf adds to err what the last check printed.
func withOutputOf(err *sdk.Error, probeErr error) error {
	if last, ok := errors.AsType[*sdk.Error](probeErr); ok && err.Output == "" {
		err.Output = last.Output
	}
	return err
}
