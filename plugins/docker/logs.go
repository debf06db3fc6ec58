package docker

import (
	"bytes"
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Logs implements sdk.Logger. Every entry is what the engine keeps as one
// message: a line, or a piece of up to 16 KiB of a longer one.
func (r *Runtime) Logs(ctx context.Context, id string, options sdk.LogOptions, sink func(sdk.LogEntry) error) error {
	tail := "all"
	if options.Tail >= 0 {
		tail = strconv.Itoa(options.Tail)
	}
	since := ""
	if !options.Since.IsZero() {
		since = options.Since.Format(time.RFC3339Nano)
	}
	stream, err := r.api.ContainerLogs(ctx, id, container.LogsOptions{
		ShowStdout: true, ShowStderr: true, Timestamps: true, Follow: options.Follow, Tail: tail, Since: since,
	})
	if err != nil {
		return r.typed("logs", "", err)
	}
	defer stream.Close()
	_, err = stdcopy.StdCopy(&entryWriter{sdk.Stdout, sink}, &entryWriter{sdk.Stderr, sink}, stream)
	if failed, ok := errors.AsType[*sinkError](err); ok {
		return failed.err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return r.typed("logs", "", err)
}

// entryWriter gets each message of one stream in one Write.
type entryWriter struct {
	stream sdk.Stream
	sink   func(sdk.LogEntry) error
}

// sinkError marks the caller's own error, so that it is returned as it is.
type sinkError struct{ err error }

func (e *sinkError) Error() string { return e.err.Error() }
func (e *sinkError) Unwrap() error { return e.err }

func (w *entryWriter) Write(message []byte) (int, error) {
	entry := sdk.LogEntry{Stream: w.stream, Data: message}
	stamp, rest, ok := bytes.Cut(message, []byte{' '})
	if at, err := time.Parse(time.RFC3339Nano, string(stamp)); ok && err == nil {
		entry.Time, entry.Data = at, rest
	}
	if err := w.sink(entry); err != nil {
		return 0, &sinkError{err}
	}
	return len(message), nil
}
