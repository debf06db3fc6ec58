package fake

import (
	"bytes"
	"context"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// pieceLimit is the longest piece of a line that is kept as one entry.
const pieceLimit = 16 << 10

// journal is what a container has printed.
type journal struct {
	mu      sync.Mutex
	entries []sdk.LogEntry
	partial map[sdk.Stream][]byte
	// changed is closed and made anew with every change.
	changed chan struct{}
	over    bool
}

func newJournal() *journal {
	return &journal{partial: map[sdk.Stream][]byte{}, changed: make(chan struct{})}
}

// lineWriter is one output of a process. It writes to a journal, or to a
// writer of an exec.
type lineWriter struct {
	journal *journal
	stream  sdk.Stream
	to      io.Writer
	mu      *sync.Mutex
}

func (j *journal) writer(stream sdk.Stream) *lineWriter {
	return &lineWriter{journal: j, stream: stream}
}

func (w *lineWriter) Write(p []byte) (int, error) {
	if w.journal != nil {
		w.journal.write(w.stream, p)
		return len(p), nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.to.Write(p)
}

func (j *journal) write(stream sdk.Stream, p []byte) {
	j.mu.Lock()
	defer j.mu.Unlock()
	pending := append(j.partial[stream], p...)
	for len(pending) > 0 {
		end := bytes.IndexByte(pending, '\n') + 1
		if end == 0 && len(pending) < pieceLimit {
			break
		}
		if end == 0 || end > pieceLimit {
			end = pieceLimit
		}
		j.add(stream, pending[:end])
		pending = pending[end:]
	}
	j.partial[stream] = slices.Clone(pending)
}

// add keeps an entry. The caller has the lock.
func (j *journal) add(stream sdk.Stream, data []byte) {
	j.entries = append(j.entries, sdk.LogEntry{Stream: stream, Time: time.Now(), Data: bytes.Clone(data)})
	close(j.changed)
	j.changed = make(chan struct{})
}

// flush keeps what lacks its line break.
func (j *journal) flush() {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, stream := range []sdk.Stream{sdk.Stdout, sdk.Stderr} {
		if rest := j.partial[stream]; len(rest) > 0 {
			j.add(stream, rest)
			j.partial[stream] = nil
		}
	}
}

func (j *journal) end() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.over = true
	close(j.changed)
	j.changed = make(chan struct{})
}

// from returns the entries from a position on, whether more may come, and what
// tells of it.
func (j *journal) from(position int) ([]sdk.LogEntry, bool, <-chan struct{}) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.entries[position:len(j.entries):len(j.entries)], !j.over, j.changed
}

// tail is the position at which the last n lines begin.
func (j *journal) tail(n int) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	if n < 0 {
		return 0
	}
	at := len(j.entries)
	for lines := 0; at > 0; at-- {
		if bytes.HasSuffix(j.entries[at-1].Data, []byte("\n")) || at == len(j.entries) {
			lines++
		}
		if lines > n {
			break
		}
	}
	return at
}

// Logs implements sdk.Logger.
func (e *Engine) Logs(ctx context.Context, id string, options sdk.LogOptions, sink func(sdk.LogEntry) error) error {
	b, err := e.look(ctx, "logs", id)
	if err != nil {
		return err
	}
	position := b.log.tail(options.Tail)
	for {
		entries, more, changed := b.log.from(position)
		position += len(entries)
		for _, entry := range entries {
			if entry.Time.Before(options.Since) {
				continue
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := sink(entry); err != nil {
				return err
			}
		}
		if !options.Follow || !more {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
