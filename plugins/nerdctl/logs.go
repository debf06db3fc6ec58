package nerdctl

import (
	"context"
	"strconv"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/enginelog"
)

var _ enginelog.Forwarder = (*Runtime)(nil)

// Logs implements sdk.Logger.
func (r *Runtime) Logs(ctx context.Context, id string, options sdk.LogOptions, sink func(sdk.LogEntry) error) error {
	return r.ForwardLogs(ctx, id, options, func(_ context.Context, p sdk.Process, wanted enginelog.Wanted) (enginelog.End, error) {
		return enginelog.Lines(p, wanted, sink)
	})
}

// ForwardLogs implements enginelog.Forwarder.
func (r *Runtime) ForwardLogs(ctx context.Context, id string, options sdk.LogOptions, take enginelog.Take) error {
	args := []string{"logs", "--timestamps"}
	if options.Follow {
		args = append(args, "--follow")
	}
	if options.Tail >= 0 {
		args = append(args, "--tail", strconv.Itoa(options.Tail))
	}
	if options.Tail == 0 && !options.Follow {
		_, err := r.inspectOne(ctx, id) // nothing is wanted of it but to be there
		return err
	}
	// podman gives what was printed in the same second, too, so that what is
	// given is filtered as well.
	wanted := enginelog.Wanted{Since: options.Since, Pieces: r.dialect.stampsPieces}
	if options.Tail == 0 && options.Since.IsZero() {
		wanted.Since = time.Now() // nerdctl takes a tail of 0 for all
	}
	if !options.Since.IsZero() {
		args = append(args, "--since", options.Since.UTC().Format(time.RFC3339Nano))
	}
	place, err := r.readLog(ctx, append(args, id), wanted, take)
	if err != nil || !options.Follow || !r.dialect.losesFollowed {
		return err
	}
	return r.readRest(ctx, id, options.Tail, place, wanted, take)
}

// readLog runs a log command to its end and lets take hand on what it prints.
func (r *Runtime) readLog(ctx context.Context, args []string, wanted enginelog.Wanted, take enginelog.Take) (enginelog.Place, error) {
	p, err := r.spawn(ctx, call{op: "logs", args: args})
	if err != nil {
		return enginelog.Place{}, err
	}
	defer p.Close()
	end, err := take(ctx, p, wanted)
	if err != nil {
		return end.Place, err
	}
	code, err := p.Wait()
	switch {
	case ctx.Err() != nil:
		return end.Place, contextEnded(ctx, "logs", "")
	case err != nil:
		return end.Place, r.error(sdk.CodeInternal, "logs", "", err)
	case code != 0:
		return end.Place, r.refusedSaying("logs", "", said([]byte(end.Words), nil, code))
	}
	return end.Place, nil
}

// readRest hands on the end of a log that was followed to place. nerdctl stops
// following as soon as the container has ended, whether or not it has read all.
func (r *Runtime) readRest(ctx context.Context, id string, tail int, place enginelog.Place, wanted enginelog.Wanted, take enginelog.Take) error {
	args := []string{"logs", "--timestamps"}
	switch {
	case place.Began():
		args = append(args, "--since", place.Since().UTC().Format(time.RFC3339Nano))
	case tail > 0:
		args = append(args, "--tail", strconv.Itoa(tail))
	}
	if tail >= 0 && place.First.After(wanted.Since) {
		wanted.Since = place.First // what the tail left out
	}
	wanted.After = &place
	_, err := r.readLog(ctx, append(args, id), wanted, take)
	if gone(err) {
		return nil // it was removed as soon as it had ended
	}
	return err
}
