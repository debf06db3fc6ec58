package docker

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"strconv"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Logs implements sdk.Logger. Every entry is what the engine keeps as one
// message: a line, or a piece of up to 16 KiB of a longer one.
func (r *Runtime) Logs(ctx context.Context, id string, options sdk.LogOptions, sink func(sdk.LogEntry) error) error {
	if !options.Follow {
		return r.readLogs(ctx, id, options, sink)
	}
	given := newDelivery(options)
	if err := r.readLogs(ctx, id, options, given.note(sink)); err != nil {
		return err
	}
	// An engine that is asked to follow stops at the container's end, even
	// before a last line that has no line break.
	err := r.readLogs(ctx, id, sdk.LogOptions{Tail: -1, Since: given.since()}, given.rest(sink))
	if given.refused {
		return err
	}
	if code := sdk.CodeOf(err); code == sdk.CodeNotFound || code == sdk.CodeConflict {
		return nil // it ended by being removed, and its log with it
	}
	return err
}

// logTries is how often a log is asked for that the engine refuses late. It has
// given nothing of it then.
const logTries = 3

func (r *Runtime) readLogs(ctx context.Context, id string, options sdk.LogOptions, sink func(sdk.LogEntry) error) error {
	err := r.readLogsOnce(ctx, id, options, sink)
	for try := 1; try < logTries && isLate(err); try++ {
		err = r.readLogsOnce(ctx, id, options, sink)
	}
	return err
}

func isLate(err error) bool {
	_, late := errors.AsType[*lateRefusal](err)
	return late
}

func (r *Runtime) readLogsOnce(ctx context.Context, id string, options sdk.LogOptions, sink func(sdk.LogEntry) error) error {
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
		return r.typed(ctx, "logs", "", err)
	}
	defer stream.Close()
	err = readLog(stream, notBefore(options.Since, sink))
	if failed, ok := errors.AsType[*sinkError](err); ok {
		return failed.err
	}
	if ctx.Err() != nil {
		return contextEnded(ctx, "logs", "")
	}
	return r.typed(ctx, "logs", "", err)
}

// notBefore leaves out what is older than since: podman gives what was printed in
// the same second, too.
func notBefore(since time.Time, sink func(sdk.LogEntry) error) func(sdk.LogEntry) error {
	if since.IsZero() {
		return sink
	}
	return func(entry sdk.LogEntry) error {
		if !entry.Time.IsZero() && entry.Time.Before(since) {
			return nil
		}
		return sink(entry)
	}
}

// sinkError marks the caller's own error, so that it is returned as it is.
type sinkError struct{ err error }

func (e *sinkError) Error() string { return e.err.Error() }
func (e *sinkError) Unwrap() error { return e.err }

// readLog reads a log with timestamps. A container with a terminal has but one
// stream, without frames; it then begins with a timestamp's digit, which no
// frame does.
func readLog(stream io.Reader, sink func(sdk.LogEntry) error) error {
	buffered := bufio.NewReaderSize(stream, chunkLimit)
	start, err := buffered.Peek(1)
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		return err
	}
	if start[0] >= '0' && start[0] <= '9' {
		return readTerminal(buffered, sink)
	}
	at := map[sdk.Stream]time.Time{}
	return demux(buffered, func(stream sdk.Stream, data []byte, first bool) error {
		if first {
			at[stream], data = cutTime(data)
		}
		return give(sink, sdk.LogEntry{Stream: stream, Time: at[stream], Data: data})
	})
}

// readTerminal reads the log of a container with a terminal, line by line; a
// line that is longer than the buffer comes in pieces.
func readTerminal(lines *bufio.Reader, sink func(sdk.LogEntry) error) error {
	var at time.Time
	first := true
	for {
		data, err := lines.ReadSlice('\n')
		whole := err == nil
		if len(data) > 0 {
			if first {
				at, data = cutTime(data)
			}
			if err := give(sink, sdk.LogEntry{Stream: sdk.Stdout, Time: at, Data: data}); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
		first = whole
	}
}

func give(sink func(sdk.LogEntry) error, entry sdk.LogEntry) error {
	if err := sink(entry); err != nil {
		return &sinkError{err}
	}
	return nil
}

// cutTime takes the engine's timestamp off a message.
func cutTime(message []byte) (time.Time, []byte) {
	stamp, rest, ok := bytes.Cut(message, []byte{' '})
	if !ok {
		return time.Time{}, message
	}
	at, err := time.Parse(time.RFC3339Nano, string(stamp))
	if err != nil {
		return time.Time{}, message
	}
	return at, rest
}
