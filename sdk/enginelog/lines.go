package enginelog

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

const (
	// pieceLimit is how long an entry may be; a longer line comes in pieces.
	pieceLimit = 32 << 10
	// wordsLimit is how much is kept of what a command says on its own behalf.
	wordsLimit = 64 << 10
)

// Output is where a log command prints: a [sdk.Process], as far as a log needs
// it.
type Output interface {
	Stdout() io.Reader
	Stderr() io.Reader
	Kill(force bool) error
}

// Take hands on what a log command prints: [Lines] with a sink, or the host of a
// module on its own.
type Take func(ctx context.Context, p sdk.Process, wanted Wanted) (End, error)

// Forwarder is a runtime that reads its logs from a command, and lets others
// take apart what that prints.
type Forwarder interface {
	// ForwardLogs is sdk.Logger's Logs with take instead of a sink.
	ForwardLogs(ctx context.Context, id string, options sdk.LogOptions, take Take) error
}

// Lines hands on what a log command prints with times in front of lines, until
// its outputs end or sink fails; sink's error is returned as it is, and the
// command killed.
func Lines(p Output, wanted Wanted, sink func(sdk.LogEntry) error) (End, error) {
	sink, place := wanted.Sink(sink)
	stdout, stderr := make(chan sdk.LogEntry, backlog), make(chan sdk.LogEntry, backlog)
	quit := make(chan struct{})
	var own words
	reader := lineReader{pieces: wanted.Pieces, quit: quit}
	go reader.read(p.Stdout(), sdk.Stdout, stdout, nil)
	go reader.read(p.Stderr(), sdk.Stderr, stderr, &own)
	err := merge(stdout, stderr, sink)
	if err != nil {
		close(quit)
		_ = p.Kill(true)
		drain(stdout)
		drain(stderr)
	}
	return End{Place: *place, Words: string(own.kept)}, err
}

func drain(entries <-chan sdk.LogEntry) {
	for range entries {
		continue
	}
}

// words are what the command itself says on its stderr: lines without a time.
type words struct{ kept []byte }

func (w *words) add(data []byte) {
	w.kept = append(w.kept, data[:min(len(data), wordsLimit-len(w.kept))]...)
}

// lineReader takes one output of a log command apart.
type lineReader struct {
	// pieces says that pieces of a line have times of their own.
	pieces bool
	quit   <-chan struct{}
}

// read reads lines with times until there are none. A line without one goes on
// where the last ended, or is the command's own.
func (l lineReader) read(r io.Reader, stream sdk.Stream, out chan<- sdk.LogEntry, own *words) {
	defer close(out)
	lines := bufio.NewReaderSize(r, pieceLimit)
	var at time.Time
	var clock cutter
	begins := true
	for {
		data, err := lines.ReadSlice('\n')
		if len(data) > 0 {
			rest := data
			stamped := false
			if begins {
				var when time.Time
				if when, rest, stamped = clock.cut(data); stamped {
					at = when
				}
			}
			if begins && !stamped && own != nil && (at.IsZero() || isOwn(data)) {
				own.add(data)
			} else if !send(out, l.quit, sdk.LogEntry{Stream: stream, Time: at, Data: l.joined(rest, at)}) {
				_, _ = io.Copy(io.Discard, lines)
				return
			}
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
		begins = err == nil
	}
}

// hour is how a time begins, down to the hour.
const hour = "2006-01-02T15:"

// joined takes out the times of a line's later pieces. They are never older than
// the line's own, while what a program itself writes is: it wrote it before.
func (l lineReader) joined(data []byte, at time.Time) []byte {
	data = bytes.Clone(data)
	if !l.pieces || at.IsZero() {
		return data
	}
	begins := []byte(at.Format(hour))
	for from := 1; from < len(data); {
		i := bytes.Index(data[from:], begins)
		if i < 0 {
			break
		}
		begin := from + i
		when, rest, ok := CutTime(data[begin:])
		if !ok || when.Before(at) {
			from = begin + len(begins)
			continue
		}
		data = append(data[:begin], rest...)
		from = begin
	}
	return data
}

func send(out chan<- sdk.LogEntry, quit <-chan struct{}, entry sdk.LogEntry) bool {
	select {
	case out <- entry:
		return true
	case <-quit:
		return false
	}
}

// isOwn says whether a line is a message of the command: logrus is what engines'
// clients log with.
func isOwn(line []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(line), []byte(`time="`)) && bytes.Contains(line, []byte(" level=")) && bytes.Contains(line, []byte(" msg="))
}
