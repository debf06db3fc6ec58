package main

import (
	"context"
	"errors"
	"io"
	"strconv"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/enginelog"
	"github.com/lightshuttle/lightshuttle/sdk/guest"
)

// Logs implements sdk.Logger. The host itself takes the engine's log apart, which
// is much faster than a sink in here.
func (e *engine) Logs(ctx context.Context, id string, options sdk.LogOptions, _ func(sdk.LogEntry) error) error {
	wanted := enginelog.Wanted{Since: options.Since}
	if options.Tail == 0 && wanted.Since.IsZero() {
		wanted.Since = time.Now()
	}
	place, err := e.forward(ctx, id, options, wanted)
	if err != nil || !options.Follow {
		return err
	}
	// An engine that is asked to follow stops at the container's end, even before
	// its last words.
	rest := sdk.LogOptions{Since: wanted.Since, Tail: options.Tail}
	if options.Tail == 0 || place.Began() {
		rest.Tail = -1
	}
	if place.Began() {
		rest.Since = place.Since()
		if options.Tail >= 0 {
			wanted.Since = place.First // what the tail left out
		}
	}
	wanted.After = &place
	_, err = e.forward(ctx, id, rest, wanted)
	if code := sdk.CodeOf(err); code == sdk.CodeNotFound || code == sdk.CodeConflict {
		return nil // it ended by being removed, and its log with it
	}
	return err
}

func (e *engine) forward(ctx context.Context, id string, options sdk.LogOptions, wanted enginelog.Wanted) (enginelog.Place, error) {
	body, err := e.log(ctx, id, options, "1")
	if err != nil {
		return enginelog.Place{}, err
	}
	defer body.Close()
	end, err := guest.ForwardFrames(ctx, body, wanted)
	return end.Place, err
}

func (e *engine) log(ctx context.Context, id string, options sdk.LogOptions, timestamps string) (io.ReadCloser, error) {
	query := [][2]string{{"stdout", "1"}, {"stderr", "1"}, {"timestamps", timestamps}, {"follow", strconv.FormatBool(options.Follow)}, {"tail", "all"}}
	if options.Tail >= 0 {
		query[4][1] = strconv.Itoa(options.Tail)
	}
	if !options.Since.IsZero() {
		query = append(query, [2]string{"since", stamp(options.Since)})
	}
	return e.ask(ctx, "logs", "GET", container(id, "/logs"), query, nil)
}

// stamp is a time as the engine takes it: seconds and nanoseconds.
func stamp(at time.Time) string {
	nanoseconds := strconv.Itoa(1_000_000_000 + at.Nanosecond())
	return strconv.FormatInt(at.Unix(), 10) + "." + nanoseconds[1:]
}

// Exec implements sdk.Execer.
func (e *engine) Exec(ctx context.Context, id string, options sdk.ExecOptions) (int, error) {
	if options.TTY {
		return 0, &sdk.Error{Code: sdk.CodeUnsupported, Op: "exec", Err: errors.New("this runtime has no terminals")}
	}
	return e.exec(ctx, id, options, func(body io.Reader) error { return guest.Forward(ctx, body, guest.StreamDocker) })
}

func (e *engine) exec(ctx context.Context, id string, options sdk.ExecOptions, follow func(io.Reader) error) (int, error) {
	var created struct{ ID string }
	err := e.get(ctx, "exec", "POST", container(id, "/exec"), nil, object{
		"Cmd": options.Command, "Env": pairs(options.Env), "User": options.User, "WorkingDir": options.WorkingDir,
		"AttachStdout": true, "AttachStderr": true,
	}, &created)
	if err != nil {
		return 0, err
	}
	body, err := e.ask(ctx, "exec", "POST", "/exec/"+created.ID+"/start", nil, object{"Detach": false, "Tty": false})
	if err != nil {
		return 0, err
	}
	defer body.Close()
	if err := follow(body); err != nil {
		return 0, err
	}
	// The engine closes the output a moment before it knows the exit code.
	for pause := time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		var end struct {
			Running  bool
			ExitCode int
		}
		if err := e.get(ctx, "exec", "GET", "/exec/"+created.ID+"/json", nil, nil, &end); err != nil || !end.Running {
			return end.ExitCode, err
		}
		if err := e.host.Sleep(ctx, pause); err != nil {
			return 0, err
		}
	}
}

// reading is the engine for checks, which read the output themselves.
type reading struct{ *engine }

// Logs reads a log.
func (r reading) Logs(ctx context.Context, id string, options sdk.LogOptions, sink func(sdk.LogEntry) error) error {
	body, err := r.log(ctx, id, options, "0")
	if err != nil {
		return err
	}
	defer body.Close()
	return enginelog.Frames(body, false, sink)
}

// Exec runs a command.
func (r reading) Exec(ctx context.Context, id string, options sdk.ExecOptions) (int, error) {
	return r.exec(ctx, id, options, func(body io.Reader) error {
		return enginelog.Frames(body, false, func(entry sdk.LogEntry) error {
			to := options.Stdout
			if entry.Stream == sdk.Stderr {
				to = options.Stderr
			}
			_, err := to.Write(entry.Data)
			return err
		})
	})
}
