package probe

import (
	"context"
	"errors"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Guard runs check, such as one that [Until] makes, beside awaitEnd, which
// waits for the container's end: checks may be far apart. awaitEnd returns what
// the end is for the waiter, or nil when it can't tell or its context has ended.
// An end cuts the check short, and is returned with what the check printed last.
func Guard(ctx context.Context, check, awaitEnd func(ctx context.Context) error) error {
	within, stop := context.WithCancel(ctx)
	defer stop()
	guarded := make(chan error, 1)
	go func() {
		end := awaitEnd(within)
		if end != nil {
			stop()
		}
		guarded <- end
	}()
	err := check(within)
	byItself := within.Err() == nil
	stop()
	end := <-guarded
	if byItself || ctx.Err() != nil || end == nil {
		return err
	}
	if last, ok := errors.AsType[*sdk.Error](err); ok {
		return withOutput(end, Result{Output: last.Output})
	}
	return end
}
