package probe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// lineLimit bounds the memory for a line that never ends; a longer line is
// matched in pieces.
const lineLimit = 64 << 10

var errMatched = errors.New("a line matched")

// Log waits until the container prints a line that matches the check's
// pattern, from its first line on. It fails with sdk.CodeExited when the
// container ends without one, with sdk.CodeInvalid for a pattern that doesn't
// compile, and with the context's code when ctx ends; the last line printed is
// the error's output.
func Log(ctx context.Context, runtime sdk.Logger, id string, check sdk.LogCheck) error {
	pattern, err := regexp.Compile(check.Pattern)
	if err != nil {
		return sdk.Errorf(sdk.CodeInvalid, "healthcheck", "log pattern: %w", err)
	}
	matchers := map[sdk.Stream]*lineMatcher{sdk.Stdout: {pattern: pattern}, sdk.Stderr: {pattern: pattern}}
	last := ""
	err = runtime.Logs(ctx, id, sdk.LogOptions{Follow: true, Tail: -1}, func(entry sdk.LogEntry) error {
		matcher := matchers[entry.Stream]
		if matcher == nil {
			return nil
		}
		if matcher.feed(entry.Data) {
			return errMatched
		}
		if line := matcher.last; line != "" {
			last = line
		}
		return nil
	})
	if errors.Is(err, errMatched) {
		return nil
	}
	if ctx.Err() != nil {
		return ended(ctx, Result{Output: last})
	}
	if err != nil {
		return err
	}
	// The stream ended, so nothing more will be printed; a last line may lack
	// its line break.
	for _, matcher := range matchers {
		if matcher.finish() {
			return nil
		}
	}
	return &sdk.Error{
		Code: sdk.CodeExited, Op: "healthcheck", Output: last,
		Err: fmt.Errorf("it ended before it printed a line that matches %q", check.Pattern),
	}
}

// lineMatcher puts the pieces of one stream together to lines.
type lineMatcher struct {
	pattern *regexp.Regexp
	partial []byte
	last    string
}

func (m *lineMatcher) feed(data []byte) bool {
	m.partial = append(m.partial, data...)
	for {
		end := bytes.IndexByte(m.partial, '\n')
		if end < 0 && len(m.partial) < lineLimit {
			return false
		}
		if end < 0 {
			return m.finish()
		}
		if m.match(m.partial[:end]) {
			return true
		}
		m.partial = m.partial[end+1:]
	}
}

func (m *lineMatcher) finish() bool {
	matched := len(m.partial) > 0 && m.match(m.partial)
	m.partial = m.partial[:0]
	return matched
}

func (m *lineMatcher) match(line []byte) bool {
	line = bytes.TrimSuffix(line, []byte("\r"))
	m.last = string(line)
	return m.pattern.Match(line)
}
