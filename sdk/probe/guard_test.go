package probe

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

func TestGuard(t *testing.T) {
	exited := &sdk.Error{Code: sdk.CodeExited, ExitCode: 3, Err: errors.New("exited")}
	endsAfter := func(d time.Duration, end error) func(context.Context) error {
		return func(ctx context.Context) error {
			if !sleep(ctx, d) {
				return nil
			}
			return end
		}
	}
	hourly := sdk.Healthcheck{Interval: sdk.Duration(time.Hour), StartInterval: sdk.Duration(time.Hour)}
	tests := []struct {
		name     string
		passesAt time.Duration
		end      func(context.Context) error
		took     time.Duration
		code     sdk.Code
		output   string
	}{
		{"it passes", 0, endsAfter(time.Minute, exited), 0, "", ""},
		{"the end cuts it short", 2 * time.Hour, endsAfter(time.Minute, exited), time.Minute, sdk.CodeExited, "not yet"},
		{"the end can't be told", 2 * time.Hour, endsAfter(time.Minute, nil), 2 * time.Hour, "", ""},
		{"it ends by itself, and so does the watch", 0, func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}, 0, "", ""},
		{"its time is up", 10 * time.Hour, endsAfter(20*time.Hour, exited), 3 * time.Hour, sdk.CodeTimeout, "not yet"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				attempt := func(context.Context) (Result, error) {
					return Result{Passed: time.Since(began) >= test.passesAt, Output: "not yet"}, nil
				}
				ctx, cancel := context.WithTimeout(t.Context(), 3*time.Hour)
				defer cancel()
				err := Guard(ctx, func(ctx context.Context) error { return Until(ctx, hourly, attempt) }, test.end)
				if took := time.Since(began); took != test.took {
					t.Errorf("it took %s, want %s", took, test.took)
				}
				last := &sdk.Error{}
				errors.As(err, &last)
				if last.Code != test.code || last.Output != test.output {
					t.Errorf("Guard() = %v (%s, %q), want %s, %q", err, last.Code, last.Output, test.code, test.output)
				}
			})
		})
	}
}
