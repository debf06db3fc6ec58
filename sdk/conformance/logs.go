package conformance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/conformance/workload"
)

var logChecks = []check{
	{
		name: "logs/streams", level: Managed, needs: []ability{logger},
		promise: "Logs keeps the two streams apart, each in its order",
		run: func(s *stage) {
			p := s.output(s.start(s.spec("job", "print", "50")))
			s.wantText("stdout", p.stdout(), numbered("out", 50))
			s.wantText("stderr", p.stderr(), numbered("err", 50))
		},
	},
	{
		name: "logs/times", level: Managed, needs: []ability{logger},
		promise: "each piece of output carries the time at which it was printed",
		run: func(s *stage) {
			before := time.Now()
			p := s.output(s.start(s.spec("job", "tick", "3", "100ms")))
			var last time.Time
			for _, entry := range p.entries {
				if entry.Time.Before(before.Add(-skew)) || entry.Time.After(time.Now().Add(skew)) || entry.Time.Before(last) {
					s.fail("%q has the time %s, after %s; it is %s", entry.Data, entry.Time, last, time.Now())
				}
				last = entry.Time
			}
		},
	},
	{
		name: "logs/ended", level: Managed, needs: []ability{logger, inspector},
		promise: "the log of a container that has ended can be read, followed or not, again and again",
		run: func(s *stage) {
			id := s.start(s.spec("job", "print", "3"))
			s.ended(id)
			for _, follow := range []bool{false, true, false} {
				p, err := s.logs(s.ctx, id, sdk.LogOptions{Follow: follow, Tail: -1})
				s.must("logs", err)
				s.wantText("stdout", p.stdout(), numbered("out", 3))
			}
		},
	},
	{
		name: "logs/ends-without-follow", level: Managed, needs: []ability{logger},
		promise: "a log that isn't followed ends although the container runs",
		run: func(s *stage) {
			id := s.start(s.spec("web", "stubborn"))
			s.awaitLine(id, "stubborn")
			p, err := s.logs(s.ctx, id, sdk.LogOptions{Tail: -1})
			s.must("logs", err)
			s.wantText("stdout", p.stdout(), "stubborn\n")
		},
	},
	{
		name: "logs/follow-ends", level: Managed, needs: []ability{logger},
		promise: "a followed log hands on what is printed as it is printed, and ends when the container does",
		run: func(s *stage) {
			id := s.start(s.spec("web", "wait"))
			followed := make(chan error, 1)
			first := make(chan struct{})
			go func() {
				seen := false
				followed <- s.Runtime.(sdk.Logger).Logs(s.ctx, id, sdk.LogOptions{Follow: true, Tail: -1}, func(sdk.LogEntry) error {
					if !seen {
						seen = true
						close(first)
					}
					return nil
				})
			}()
			select {
			case <-first:
			case err := <-followed:
				s.fail("the followed log of a running container ended: %v", err)
			case <-s.ctx.Done():
				s.fail("waited in vain for the first line")
			}
			s.pause(10 * pollInterval)
			select {
			case err := <-followed:
				s.fail("the followed log of a running container ended: %v", err)
			default:
			}
			s.must("stop", s.Runtime.Stop(s.ctx, id, longGrace))
			select {
			case err := <-followed:
				s.must("follow the log", err)
			case <-s.ctx.Done():
				s.fail("the followed log goes on after the container's end")
			}
		},
	},
	{
		name: "logs/partial", level: Managed, needs: []ability{logger},
		promise: "a last line without a line break isn't lost, and none is added",
		run: func(s *stage) {
			p := s.output(s.start(s.spec("job", "partial")))
			s.wantText("stdout", p.stdout(), "out\nno line break")
			s.wantText("stderr", p.stderr(), "err\nnone here either")
		},
	},
	{
		name: "logs/strange", level: Managed, needs: []ability{logger},
		promise: "controls, wide characters and empty lines come as they were printed",
		run: func(s *stage) {
			s.wantText("stdout", s.output(s.start(s.spec("job", "strange"))).stdout(), workload.Strange)
		},
	},
	{
		name: "logs/binary", level: Managed, needs: []ability{logger},
		promise: "bytes that make no text come as they were printed",
		run: func(s *stage) {
			s.wantText("stdout", s.output(s.start(s.spec("job", "bytes"))).stdout(), workload.AllBytes())
		},
	},
	{
		name: "logs/long-line", level: Managed, needs: []ability{logger},
		promise: "a very long line comes whole, in pieces or not",
		run: func(s *stage) {
			const size = 300_000
			p := s.output(s.start(s.spec("job", "flood", fmt.Sprint(size))))
			if got := p.stdout(); len(got) != size || strings.Trim(got, "x") != "" {
				s.errorf("%d bytes came (%.60q…), wanted %d", len(got), strings.Trim(got, "x"), size)
			}
		},
	},
	{
		name: "logs/much", level: Managed, needs: []ability{logger},
		promise: "much output comes whole and in order",
		run: func(s *stage) {
			id := s.start(s.spec("job", "lines", fmt.Sprint(s.Output/workload.LineWidth)))
			s.endedCore(id)
			s.muchOutput(id, sdk.LogOptions{Tail: -1})
		},
	},
	{
		name: "logs/much-followed", level: Managed, needs: []ability{logger},
		promise: "much output comes whole and in order to who follows it, too",
		run: func(s *stage) {
			id := s.start(s.spec("job", "lines", fmt.Sprint(s.Output/workload.LineWidth)))
			s.muchOutput(id, sdk.LogOptions{Follow: true, Tail: -1})
		},
	},
	{
		name: "logs/tail", level: Managed, needs: []ability{logger, inspector},
		promise: "tail is the number of last lines; a negative number means all, zero none",
		run: func(s *stage) {
			id := s.start(s.spec("job", "lines", "20"))
			s.ended(id)
			for tail, want := range map[int]int{-1: 20, 0: 0, 1: 1, 5: 5, 100: 20} {
				p, err := s.logs(s.ctx, id, sdk.LogOptions{Tail: tail})
				s.must("logs", err)
				got := strings.SplitAfter(p.stdout(), "\n")
				got = got[:len(got)-1]
				if len(got) != want || want > 0 && got[want-1] != string(workload.AppendLine(nil, 19)) {
					s.errorf("a tail of %d has %d lines, wanted the last %d", tail, len(got), want)
				}
			}
		},
	},
	{
		name: "logs/tail-follow", level: Managed, needs: []ability{logger},
		promise: "a followed log may begin with its last lines",
		run: func(s *stage) {
			id := s.start(s.spec("web", "wait"))
			s.awaitLine(id, "waiting")
			followed := make(chan error, 1)
			var p printed
			go func() {
				var err error
				p, err = s.logs(s.ctx, id, sdk.LogOptions{Follow: true, Tail: 0})
				followed <- err
			}()
			s.pause(300 * time.Millisecond)
			s.must("stop", s.Runtime.Stop(s.ctx, id, longGrace))
			s.must("follow the log", <-followed)
			if strings.Contains(p.stdout(), "waiting") {
				s.errorf("a followed log without its past has %q", p.stdout())
			}
		},
	},
	{
		name: "logs/since", level: Managed, needs: []ability{logger},
		promise: "since leaves out what was printed before it",
		run:     logsSince,
	},
	{
		name: "logs/sink-fails", level: Managed, needs: []ability{logger},
		promise: "the sink's error ends the log and is returned as it is",
		run: func(s *stage) {
			id := s.start(s.spec("job", "print", "50"))
			mine := errors.New("mine")
			calls := 0
			err := s.Runtime.(sdk.Logger).Logs(s.ctx, id, sdk.LogOptions{Follow: true, Tail: -1}, func(sdk.LogEntry) error {
				calls++
				return mine
			})
			if err != mine { //nolint:errorlint // as it is, says the contract
				s.errorf("Logs returned %v, wanted the sink's own error", err)
			}
			if calls != 1 {
				s.errorf("the sink was called %d times, wanted once, as it failed", calls)
			}
		},
	},
	{
		name: "logs/sink-fails-running", level: Managed, needs: []ability{logger},
		promise: "the sink's error ends a followed log at once, although the container runs",
		run: func(s *stage) {
			id := s.start(s.spec("web", "stubborn"))
			mine := errors.New("mine")
			returned := make(chan error, 1)
			go func() {
				returned <- s.Runtime.(sdk.Logger).Logs(s.ctx, id, sdk.LogOptions{Follow: true, Tail: -1}, func(sdk.LogEntry) error { return mine })
			}()
			select {
			case err := <-returned:
				if !errors.Is(err, mine) {
					s.errorf("Logs returned %v, wanted the sink's own error", err)
				}
			case <-s.ctx.Done():
				s.fail("Logs goes on after its sink has failed")
			}
		},
	},
	{
		name: "logs/together", level: Managed, needs: []ability{logger},
		promise: "several may read one log at the same time",
		run: func(s *stage) {
			spec := s.spec("job", "print", "100")
			spec.Env = map[string]string{"EXIT_AFTER": "300ms"}
			id := s.start(spec)
			s.allMust("follow the log", together(4, func(int) error {
				p, err := s.logs(s.ctx, id, sdk.LogOptions{Follow: true, Tail: -1})
				if err == nil && p.stdout() != numbered("out", 100) {
					return fmt.Errorf("one reader got %d bytes", len(p.stdout()))
				}
				return err
			}))
		},
	},
	{
		name: "logs/unknown", level: Managed, needs: []ability{logger},
		promise: "Logs fails with not_found for a container that isn't there",
		run: func(s *stage) {
			for _, follow := range []bool{false, true} {
				_, err := s.logs(s.ctx, s.project+"-never-was", sdk.LogOptions{Follow: follow, Tail: -1})
				s.wantCode("logs", err, sdk.CodeNotFound)
			}
		},
	},
	{
		name: "logs/cancelled", level: Managed, needs: []ability{logger},
		promise: "a followed log ends soon after its context does, while nothing is printed",
		run: func(s *stage) {
			id := s.start(s.spec("web", "stubborn"))
			s.awaitLine(id, "stubborn")
			s.soon("logs", func(ctx context.Context) error {
				_, err := s.logs(ctx, id, sdk.LogOptions{Follow: true, Tail: -1})
				return err
			}, s.after(300*time.Millisecond))
		},
	},
	{
		name: "logs/cancelled-before", level: Managed, needs: []ability{logger},
		promise: "Logs ends at once when its context has ended",
		run: func(s *stage) {
			id := s.start(s.spec("web", "stubborn"))
			s.soon("logs", func(ctx context.Context) error {
				_, err := s.logs(ctx, id, sdk.LogOptions{Tail: -1})
				return err
			}, nil)
		},
	},
}

func numbered(word string, n int) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintln(&text, word, i+1)
	}
	return text.String()
}

func (s *stage) wantText(what, got, want string) {
	if got == want {
		return
	}
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	from := max(0, at-20)
	s.errorf("%s has %d bytes, wanted %d; they differ at byte %d: %.80q, wanted %.80q", what, len(got), len(want), at, got[from:], want[from:])
}

// lineReader checks the output of the workload "lines" without keeping it.
type lineReader struct {
	next    int64
	partial []byte
	wrong   string
}

func (l *lineReader) feed(data []byte) error {
	l.partial = append(l.partial, data...)
	rest := l.partial
	var want []byte
	for len(rest) >= workload.LineWidth {
		want = workload.AppendLine(want[:0], l.next)
		if !bytes.Equal(rest[:workload.LineWidth], want) {
			l.wrong = fmt.Sprintf("line %d is %.60q", l.next, rest[:workload.LineWidth])
			return io.ErrUnexpectedEOF
		}
		l.next++
		rest = rest[workload.LineWidth:]
	}
	l.partial = append(l.partial[:0], rest...)
	return nil
}

// muchOutput reads the lines that were asked for.
func (s *stage) muchOutput(id string, options sdk.LogOptions) {
	lines := s.Output / workload.LineWidth
	var read lineReader
	err := s.Runtime.(sdk.Logger).Logs(s.ctx, id, options, func(entry sdk.LogEntry) error {
		return read.feed(entry.Data)
	})
	if read.wrong != "" {
		s.fail("%s", read.wrong)
	}
	s.must("read the log", err)
	if read.next != lines || len(read.partial) > 0 {
		s.errorf("%d lines and %d bytes came, wanted %d lines", read.next, len(read.partial), lines)
	}
}

// logsSince reads again from the time of a line in the middle.
func logsSince(s *stage) {
	id := s.start(s.spec("job", "tick", "4", "1100ms"))
	p := s.output(id)
	if len(p.entries) != 4 {
		s.fail("%d pieces came, wanted 4 lines", len(p.entries))
	}
	// Half way between two lines, so that an engine may count in seconds.
	since := p.entries[2].Time.Add(-550 * time.Millisecond)
	again, err := s.logs(s.ctx, id, sdk.LogOptions{Tail: -1, Since: since})
	s.must("logs since", err)
	s.wantText("the log since a moment", again.stdout(), "tick 3\ntick 4\n")
	again, err = s.logs(s.ctx, id, sdk.LogOptions{Tail: -1, Since: time.Now().Add(time.Hour)})
	s.must("logs since the future", err)
	s.wantText("the log since the future", again.stdout(), "")
}
