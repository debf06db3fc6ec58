package nerdctl

import (
	"context"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

const (
	standTimeout = 15 * time.Second
	markPause    = 200 * time.Millisecond
)

// stand returns when the process listens. Where it doesn't tell, an event is
// made that changes nothing.
func (w *watch) stand(ctx context.Context) error {
	if !w.runtime.dialect.marks {
		return nil
	}
	standing, cancel := context.WithTimeout(ctx, standTimeout)
	defer cancel()
	for {
		err := w.mark(standing)
		select {
		case <-w.standing:
			return nil
		default:
		}
		if ctx.Err() != nil {
			return contextEnded(ctx, "watch", "")
		}
		if err != nil {
			return err
		}
		if standing.Err() != nil {
			return sdk.Errorf(sdk.CodeUnavailable, "watch", "no event was heard of %s within %s", w.runtime.program, standTimeout)
		}
	}
}

// mark makes and removes a namespace, which the process tells of if it listens.
func (w *watch) mark(ctx context.Context) error {
	_, err := w.runtime.run(ctx, call{op: "watch", args: []string{"namespace", "create", w.marker}})
	if err == nil {
		w.pause(ctx)
	}
	cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	_, removeErr := w.runtime.run(cleanup, call{op: "watch", args: []string{"namespace", "remove", w.marker}})
	if removeErr == nil && ctx.Err() == nil {
		w.pause(ctx)
	}
	if err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

// pause gives the event a moment to arrive.
func (w *watch) pause(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, markPause)
	defer cancel()
	select {
	case <-w.standing:
	case <-ctx.Done():
	}
}
