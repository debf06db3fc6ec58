//go:build unix

package process

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Logs implements sdk.Logger.
func (r *Runtime) Logs(ctx context.Context, id string, options sdk.LogOptions, sink func(sdk.LogEntry) error) error {
	project := projectOf(id)
	if project == "" {
		return sdk.Errorf(sdk.CodeNotFound, "logs", "there is no process %q", id)
	}
	if ctx.Err() != nil {
		return failed("logs", "", context.Cause(ctx))
	}
	dir := filepath.Join(r.projectDir(project), id)
	if _, err := r.look(ctx, project, id); err != nil {
		return failed("logs", "", err)
	}
	reader := &logReader{dir: dir, since: options.Since, sink: sink}
	defer reader.close()
	// The supervisor is asked before the first look, so that nothing is missed.
	var follow *stream
	if options.Follow {
		var err error
		follow, err = r.follow(ctx, project, id)
		if err != nil {
			return failed("logs", "", err)
		}
	}
	if follow != nil {
		defer follow.close()
	}
	if options.Tail >= 0 {
		reader.begin(options.Tail)
	}
	for {
		if err := reader.copy(ctx); err != nil {
			return err
		}
		if follow == nil {
			return nil
		}
		if _, err := follow.next(ctx); err != nil {
			if ctx.Err() != nil {
				return failed("logs", "", context.Cause(ctx))
			}
			follow.close()
			follow = nil // it has ended; what is left is read once more
		}
	}
}

// follow has the supervisor tell when there is more. It is nil when no more is to
// come: the process has ended, or there is no supervisor.
func (r *Runtime) follow(ctx context.Context, project, id string) (*stream, error) {
	s, err := r.stream(ctx, project, request{Op: opFollow, ID: id})
	if err != nil && ctx.Err() == nil && (isGone(err) || sdk.IsCode(err, sdk.CodeExited) || sdk.IsCode(err, sdk.CodeNotFound)) {
		return nil, nil //nolint:nilnil // that nobody is there is an answer
	}
	return s, err
}

// logReader reads the files of one process in their order.
type logReader struct {
	dir   string
	since time.Time
	sink  func(sdk.LogEntry) error

	number int // of the file that is open, or was read last
	file   *os.File
	buffer *bufio.Reader
	// partial is an entry whose end isn't written yet.
	partial []byte
	// skip is how many entries are passed over, for a tail.
	skip int
}

func (l *logReader) close() {
	if l.file != nil {
		_ = l.file.Close()
		l.file = nil
	}
}

// copy hands over all that there is at the moment.
func (l *logReader) copy(ctx context.Context) error {
	for {
		if l.file == nil && !l.open() {
			return nil
		}
		if err := l.copyFile(ctx); err != nil {
			return err
		}
		// A file that has a successor is complete, but maybe not read yet.
		if !l.hasNext() {
			return nil
		}
		if err := l.copyFile(ctx); err != nil {
			return err
		}
		l.close()
		l.partial = nil
	}
}

// open opens the first file after the last one that was read.
func (l *logReader) open() bool {
	for _, number := range logNumbers(l.dir) {
		if number <= l.number {
			continue
		}
		file, err := os.Open(filepath.Join(l.dir, logName(number)))
		if errors.Is(err, fs.ErrNotExist) {
			continue // it was the oldest
		}
		if err != nil {
			return false
		}
		l.number, l.file, l.buffer = number, file, bufio.NewReaderSize(file, pieceLimit)
		return true
	}
	return false
}

func (l *logReader) hasNext() bool {
	_, err := os.Stat(filepath.Join(l.dir, logName(l.number+1)))
	return err == nil
}

// copyFile reads the open file to its present end.
func (l *logReader) copyFile(ctx context.Context) error {
	for {
		piece, err := l.buffer.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			l.partial = append(l.partial, piece...)
			continue
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return failed("logs", "", err)
		}
		if err != nil {
			l.partial = append(l.partial, piece...)
			return nil //nolint:nilerr // the end of the file is where to stop
		}
		line := piece
		if len(l.partial) > 0 {
			l.partial = append(l.partial, piece...)
			line = l.partial
		}
		err = l.hand(ctx, line)
		l.partial = l.partial[:0]
		if err != nil {
			return err
		}
	}
}

func (l *logReader) hand(ctx context.Context, line []byte) error {
	if l.skip > 0 {
		l.skip--
		return nil
	}
	entry, full, ok := parseEntry(line[:len(line)-1])
	if !ok || entry.Time.Before(l.since) {
		return nil
	}
	if ctx.Err() != nil {
		return failed("logs", "", context.Cause(ctx))
	}
	if full {
		entry.Data = line[headLength:] // with its line break
	}
	return l.sink(entry)
}

// begin places the reader so that the last tail lines are left to read.
func (l *logReader) begin(tail int) {
	numbers := logNumbers(l.dir)
	for i := len(numbers) - 1; i >= 0; i-- {
		lines, entries := l.count(numbers[i])
		if lines < tail {
			tail -= lines
			continue
		}
		l.number = numbers[i] - 1
		l.skip = entriesBefore(entries, tail)
		return
	}
}

// count reads a file: how many lines it has, and whether each of its entries
// ends one.
func (l *logReader) count(number int) (lines int, entries []bool) {
	data, err := os.ReadFile(filepath.Join(l.dir, logName(number)))
	if err != nil {
		return 0, nil
	}
	for len(data) > 0 {
		end := bytes.IndexByte(data, '\n')
		if end < 0 {
			break
		}
		full := end < headLength || data[headLength-2] == 'F'
		entries = append(entries, full)
		data = data[end+1:]
		if full {
			lines++
		}
	}
	if n := len(entries); n > 0 && !entries[n-1] {
		entries[n-1] = true // what is left of a line counts as one
		lines++
	}
	return lines, entries
}

// entriesBefore counts the entries before the last so many lines.
func entriesBefore(entries []bool, lines int) int {
	at := len(entries)
	for at > 0 {
		if entries[at-1] {
			if lines == 0 {
				break
			}
			lines--
		}
		at--
	}
	return at
}
