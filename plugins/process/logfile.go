//go:build unix

package process

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// The output of a process is kept in files that are numbered in the order of
// time; when one is full, the next is begun and the oldest goes. A follower
// that has read one to its end goes on with the next number, which is why this
// is no library: those rename the file under its reader, and none tells the two
// streams apart. An entry is a line of
//
//	2006-01-02T15:04:05.000000000Z o F text
//
// with o for standard output or e for standard error, and F for a full line or
// P for a piece of one, whose line break isn't the process's. The text may hold
// any bytes.

const (
	logPrefix  = "log."
	logTime    = "2006-01-02T15:04:05.000000000Z"
	headLength = len(logTime) + len(" o F ")
	// pieceLimit is the longest text of one entry.
	pieceLimit = 64 << 10
)

func logName(number int) string { return fmt.Sprintf("%s%06d", logPrefix, number) }

// logNumbers are the numbers of the files that there are, in their order.
func logNumbers(dir string) []int {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var numbers []int
	for _, entry := range entries {
		var number int
		if text, ok := strings.CutPrefix(entry.Name(), logPrefix); ok {
			if _, err := fmt.Sscanf(text, "%d", &number); err == nil {
				numbers = append(numbers, number)
			}
		}
	}
	slices.Sort(numbers)
	return numbers
}

// logWriter writes the output of one process. Both streams may write at once.
type logWriter struct {
	dir   string
	limit logLimit
	// grown is called after each write, without mu.
	grown func()

	mu       sync.Mutex
	finished bool
	file     *os.File
	number   int
	size     int64
	buffer   []byte
}

// write appends lines of one stream; rest says that the last one is a piece.
func (w *logWriter) write(stream sdk.Stream, at time.Time, data []byte, rest bool) error {
	if err := w.add(stream, at, data, rest); err != nil {
		return err
	}
	w.grown()
	return nil
}

func (w *logWriter) add(stream sdk.Stream, at time.Time, data []byte, rest bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.finished {
		return nil // it may be removed by now
	}
	head := at.UTC().AppendFormat(nil, logTime)
	head = append(head, ' ', stream[len("std")], ' ')
	w.buffer = w.buffer[:0]
	for len(data) > 0 {
		line, after, full := bytes.Cut(data, []byte{'\n'})
		data = after
		if !full && !rest {
			panic("a piece of a line that isn't the rest")
		}
		kind := byte('F')
		for len(line) > pieceLimit {
			w.buffer = append(append(append(w.buffer, head...), "P "...), line[:pieceLimit]...)
			w.buffer = append(w.buffer, '\n')
			line = line[pieceLimit:]
		}
		if !full {
			kind = 'P'
		}
		w.buffer = append(append(append(w.buffer, head...), kind, ' '), line...)
		w.buffer = append(w.buffer, '\n')
	}
	return w.flush()
}

// flush writes the buffer, and begins a new file after a full one.
func (w *logWriter) flush() error {
	if w.file == nil || w.size >= w.limit.Bytes {
		if err := w.next(); err != nil {
			return err
		}
	}
	n, err := w.file.Write(w.buffer)
	w.size += int64(n)
	if err != nil && n > 0 {
		// Half an entry would make rubbish of the next.
		w.size -= int64(n)
		_ = w.file.Truncate(w.size)
	}
	return err
}

func (w *logWriter) next() error {
	if w.number == 0 {
		// Most processes that are started and stopped never say a word.
		if err := os.Mkdir(w.dir, 0o700); err != nil {
			return err
		}
	}
	file, err := os.OpenFile(filepath.Join(w.dir, logName(w.number+1)), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_ = w.close()
	w.file, w.size = file, 0
	w.number++
	if oldest := w.number - w.limit.Files; oldest > 0 {
		_ = os.Remove(filepath.Join(w.dir, logName(oldest)))
	}
	return nil
}

func (w *logWriter) close() error {
	if w.file == nil {
		return nil
	}
	err := w.file.Close()
	w.file = nil
	return err
}

// finish closes the file for good.
func (w *logWriter) finish() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.finished = true
	_ = w.close() // nothing is buffered
}

// parseEntry reads a line of a log file without its line break; ok is false for
// one that is none.
func parseEntry(line []byte) (entry sdk.LogEntry, full, ok bool) {
	if len(line) < headLength {
		return entry, false, false
	}
	at, err := time.Parse(logTime, string(line[:len(logTime)]))
	if err != nil {
		return entry, false, false
	}
	entry = sdk.LogEntry{Stream: sdk.Stdout, Time: at, Data: line[headLength:]}
	if line[len(logTime)+1] == 'e' {
		entry.Stream = sdk.Stderr
	}
	return entry, line[len(logTime)+3] == 'F', true
}
