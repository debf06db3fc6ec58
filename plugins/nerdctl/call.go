package nerdctl

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// call is one command of the client.
type call struct {
	op       string
	resource string
	args     []string
	stdin    []byte
	env      [][2]string
	// waits says that the process mostly waits, or is gone at once, so it takes no
	// place.
	waits bool
	// slow says that the engine has work to do, which may take its time.
	slow bool
}

// run runs the command to its end. It fails with a typed error when the command
// did.
func (r *Runtime) run(ctx context.Context, c call) ([]byte, error) {
	result, err := r.attempt(ctx, c)
	if err != nil {
		return nil, err
	}
	if result.ExitCode != 0 {
		return nil, r.refused(c.op, c.resource, result)
	}
	if result.Truncated {
		return nil, r.tooLong(c.op, c.resource)
	}
	return result.Stdout, nil
}

// attempt runs the command to its end, whatever its exit code.
func (r *Runtime) attempt(ctx context.Context, c call) (sdk.Result, error) {
	if !c.waits {
		select {
		case r.places <- struct{}{}:
			defer func() { <-r.places }()
		case <-ctx.Done():
		}
	}
	if ctx.Err() != nil {
		return sdk.Result{}, contextEnded(ctx, c.op, c.resource)
	}
	limited, cancel := ctx, func() {}
	if !c.slow {
		limited, cancel = context.WithTimeout(ctx, r.answerTimeout)
	}
	defer cancel()
	command := r.command(c)
	command.Works = !c.waits
	result, err := r.host.Run(limited, command)
	if err != nil && ctx.Err() == nil && limited.Err() != nil {
		return sdk.Result{}, r.noAnswer(c)
	}
	if err != nil {
		return sdk.Result{}, r.notRun(ctx, c, err)
	}
	return result, nil
}

// noAnswer is the error for a client that hangs.
func (r *Runtime) noAnswer(c call) error {
	e := r.error(sdk.CodeUnavailable, c.op, c.resource, fmt.Errorf("`%s %s` didn't answer within %s", r.program, c.args[0], r.answerTimeout))
	e.Hint = "see whether `" + r.program + " " + c.args[0] + "` hangs, too: then " + r.dialect.start + "; on a slow machine, set timeouts.engine"
	return e
}

func (r *Runtime) command(c call) sdk.Command {
	args := make([]string, 0, len(r.global)+len(c.args))
	args = append(append(args, r.global...), c.args...)
	return sdk.Command{Program: r.program, Args: args, Stdin: c.stdin, Env: c.env}
}

// notRun is the error for a program that could not be run to its end.
func (r *Runtime) notRun(ctx context.Context, c call, err error) error {
	if ctx.Err() != nil {
		return contextEnded(ctx, c.op, c.resource)
	}
	known, ok := errors.AsType[*sdk.Error](err)
	if !ok {
		return r.error(sdk.CodeInternal, c.op, c.resource, err)
	}
	with := *known
	with.Op, with.Resource = c.op, c.resource
	if with.Code == sdk.CodeUnavailable && with.Hint == "" {
		with.Hint = r.dialect.install
	}
	return &with
}

// tooLong is the error for an answer of which the host kept the begin alone.
func (r *Runtime) tooLong(op, resource string) error {
	e := r.error(sdk.CodeUnavailable, op, resource, fmt.Errorf("%s printed more than can be kept", r.program))
	e.Hint = r.checkProgram()
	return e
}

// checkProgram is the hint for a program that doesn't behave like the client
// that it should be.
func (r *Runtime) checkProgram() string {
	return "see whether `" + r.program + " version` works, and whether its version is one that LightShuttle knows"
}

func (r *Runtime) error(code sdk.Code, op, resource string, err error) *sdk.Error {
	return &sdk.Error{Code: code, Op: op, Resource: resource, Err: err}
}

// contextEnded is the error of an operation that its context ended. It wraps
// the context's error and, where the caller gave one, its cause.
func contextEnded(ctx context.Context, op, resource string) error {
	err := ctx.Err()
	code := sdk.CodeOf(err)
	if cause := context.Cause(ctx); !errors.Is(cause, err) {
		err = fmt.Errorf("%w: %w", err, cause)
	}
	return &sdk.Error{Code: code, Op: op, Resource: resource, Err: err}
}

// outlive returns a context that ends a while after ctx does.
func outlive(ctx context.Context, while time.Duration) (context.Context, func()) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var timer *time.Timer
	armed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(armed)
		timer = time.AfterFunc(while, cancel)
	})
	return longer, func() {
		if !stop() {
			<-armed
			timer.Stop()
		}
		cancel()
	}
}

// lastLine is what a command printed last: the id, after what else it had to
// say.
func lastLine(output []byte) string {
	text := strings.TrimSpace(string(output))
	return text[strings.LastIndexByte(text, '\n')+1:]
}
