package probe

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

var check = sdk.Healthcheck{
	Interval: sdk.Duration(5 * time.Second), Timeout: sdk.Duration(3 * time.Second), Retries: 3, StartPeriod: sdk.Duration(10 * time.Second),
}

// passesAfter is a thing that becomes ready at a moment, and is checked in no
// time.
func passesAfter(ready time.Duration) Attempt {
	began := time.Now()
	return func(context.Context) (Result, error) {
		return Result{Passed: time.Since(began) >= ready, Output: "not yet"}, nil
	}
}

func TestUntilChecksAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		if err := Until(t.Context(), check, passesAfter(0)); err != nil || time.Since(began) != 0 {
			t.Errorf("Until() = %v after %s, want nil at once", err, time.Since(began))
		}
	})
}

// Whenever it becomes ready, that is seen soon: within the start interval, or a
// small share of the time waited.
func TestUntilIsNeverLate(t *testing.T) {
	patient := check
	patient.Retries = 1000
	for _, ready := range []time.Duration{time.Millisecond, 150 * time.Millisecond, time.Second, 7 * time.Second, 33 * time.Second, 10 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			if err := Until(t.Context(), patient, passesAfter(ready)); err != nil {
				t.Fatal(err)
			}
			late := time.Since(began) - ready
			if most := max(DefaultStartInterval, ready/relaxation+DefaultStartInterval); late > most {
				t.Errorf("ready after %s, seen %s later, want at most %s", ready, late, most)
			}
		})
	}
}

// Checking often must not fail a container earlier than an engine would.
func TestUntilCountsFailuresAsAnEngineDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		err := Until(t.Context(), check, passesAfter(time.Hour))
		e, ok := errors.AsType[*sdk.Error](err)
		if !ok || e.Code != sdk.CodeUnhealthy || e.Output != "not yet" {
			t.Fatalf("Until() = %v", err)
		}
		// After 10 s of start period: failures at about 10, 15 and 20 s.
		if took := time.Since(began); took < 20*time.Second || took > 25*time.Second {
			t.Errorf("unhealthy after %s, want 20s and a little", took)
		}
	})
}

func TestUntilBoundsEachCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		attempts := 0
		err := Until(t.Context(), check, func(ctx context.Context) (Result, error) {
			attempts++
			if attempts > 1 {
				return Result{Passed: true}, nil
			}
			<-ctx.Done()
			return Result{}, ctx.Err()
		})
		if err != nil || attempts != 2 {
			t.Errorf("Until() = %v after %d attempts, want the second to pass", err, attempts)
		}
	})
}

func TestUntilEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		began := time.Now()
		err := Until(ctx, check, passesAfter(time.Hour))
		if !sdk.IsCode(err, sdk.CodeTimeout) || !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 2*time.Second {
			t.Errorf("Until() = %v after %s", err, time.Since(began))
		}
	})
}

func TestUntilStopsWhenCheckingMakesNoSense(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		exited := sdk.Errorf(sdk.CodeExited, "", "it is gone")
		attempts := 0
		err := Until(t.Context(), check, func(context.Context) (Result, error) {
			attempts++
			if attempts < 3 {
				return Result{Output: "connection refused"}, nil
			}
			return Result{}, exited
		})
		e, ok := errors.AsType[*sdk.Error](err)
		if !ok || e.Code != sdk.CodeExited || e.Output != "connection refused" {
			t.Errorf("Until() = %#v, want the exit with what the last check said", err)
		}
	})
}

func TestBudget(t *testing.T) {
	if got, want := Budget(check), 10*time.Second+3*8*time.Second; got != want {
		t.Errorf("Budget() = %s, want %s", got, want)
	}
	if got, want := Budget(sdk.Healthcheck{}), DefaultRetries*(DefaultInterval+DefaultTimeout); got != want {
		t.Errorf("Budget() of nothing = %s, want %s", got, want)
	}
}

// execer answers commands with a fixed result.
type execer struct {
	code   int
	output string
	err    error
}

func (e execer) Exec(_ context.Context, _ string, options sdk.ExecOptions) (int, error) {
	_, _ = options.Stdout.Write([]byte(e.output))
	return e.code, e.err
}

func TestExec(t *testing.T) {
	long := strings.Repeat("x", 2*outputLimit) + "end"
	tests := []struct {
		name   string
		execer execer
		passed bool
		output string
	}{
		{"passes", execer{output: "fine"}, true, "fine"},
		{"fails with its output", execer{code: 1, output: " no \n"}, false, "no"},
		{"fails without a word", execer{code: 7}, false, "exit code 7"},
		{"keeps the end of a long output", execer{code: 1, output: long}, false, long[len(long)-outputLimit:]},
		{"replaces what isn't text", execer{code: 1, output: "\xff"}, false, "�"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			result, err := Exec(test.execer, "id", []string{"true"})(t.Context())
			if err != nil || result.Passed != test.passed || result.Output != test.output {
				t.Errorf("Exec() = %+v, %v", result, err)
			}
		})
	}
}

// logger prints pieces of output, then ends or hangs.
type logger struct {
	pieces []string
	hangs  bool
}

func (l logger) Logs(ctx context.Context, _ string, _ sdk.LogOptions, sink func(sdk.LogEntry) error) error {
	for _, piece := range l.pieces {
		if err := sink(sdk.LogEntry{Stream: sdk.Stdout, Data: []byte(piece)}); err != nil {
			return err
		}
	}
	if l.hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	return nil
}

func TestLog(t *testing.T) {
	tests := []struct {
		name   string
		logger logger
		want   sdk.Code
	}{
		{"a line", logger{pieces: []string{"boot\nready in 3\n"}, hangs: true}, ""},
		{"a line in pieces", logger{pieces: []string{"rea", "dy i", "n 3\n"}, hangs: true}, ""},
		{"a last line without a break", logger{pieces: []string{"ready in 3"}}, ""},
		{"a line that never ends", logger{pieces: []string{"ready in 3" + strings.Repeat(" ", lineLimit)}, hangs: true}, ""},
		{"no such line", logger{pieces: []string{"no\n"}}, sdk.CodeExited},
		{"no such line yet", logger{pieces: []string{"no\n"}, hangs: true}, sdk.CodeTimeout},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				if got := sdk.CodeOf(Log(ctx, test.logger, "id", sdk.LogCheck{Pattern: `^ready in \d`})); got != test.want {
					t.Errorf("Log() has code %q, want %q", got, test.want)
				}
			})
		})
	}
	if err := Log(t.Context(), logger{}, "id", sdk.LogCheck{Pattern: "("}); !sdk.IsCode(err, sdk.CodeInvalid) {
		t.Errorf("Log() with a bad pattern = %v", err)
	}
}
