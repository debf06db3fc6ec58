package probe

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// What a healthcheck means where it says nothing.
const (
	DefaultInterval      = 5 * time.Second
	DefaultTimeout       = 3 * time.Second
	DefaultRetries       = 5
	DefaultStartInterval = 100 * time.Millisecond
)

// relaxation bounds the share of a wait that late detection can add: the pause
// between two checks is at most this fraction of the time waited so far (but
// for the start interval, which is the shortest pause).
const relaxation = 16

// Result is the outcome of one check.
type Result struct {
	Passed bool
	// Output is what the check printed or why it failed, for people.
	Output string
}

// Attempt makes one check. It returns an error only when checking makes no
// sense any more, for instance because the container has ended.
type Attempt func(ctx context.Context) (Result, error)

// Until makes attempts until one passes, beginning now. Each is bounded by the
// check's timeout.
//
// A failure counts against the retries only where an engine that checks once
// an interval would have counted one: after the start period, and an interval
// after the last that counted. So checking more often never fails a container
// earlier. When the retries are used up, the error has sdk.CodeUnhealthy; when
// ctx ends first, its code is the context's. Either carries the output of the
// last check.
func Until(ctx context.Context, check sdk.Healthcheck, attempt Attempt) error {
	check = WithDefaults(check)
	began := time.Now()
	lastCounted := began
	failures := 0
	var last Result
	for {
		attemptBegan := time.Now()
		result, err := attemptWithin(ctx, check.Timeout.Std(), attempt)
		if err != nil {
			return withOutput(err, last)
		}
		if result.Passed {
			return nil
		}
		if ctx.Err() != nil {
			return ended(ctx, last)
		}
		last = result
		now := time.Now()
		if now.Sub(began) >= check.StartPeriod.Std() && now.Sub(lastCounted) >= check.Interval.Std() {
			failures++
			lastCounted = now
		}
		if failures >= check.Retries {
			return &sdk.Error{
				Code: sdk.CodeUnhealthy, Op: "healthcheck",
				Err:    fmt.Errorf("not healthy after %d retries", failures),
				Output: last.Output,
			}
		}
		if !sleep(ctx, pause(check, now.Sub(began), now.Sub(attemptBegan))) {
			return ended(ctx, last)
		}
	}
}

// Budget is the longest time that check can take to give up: the time after
// which waiting for it makes no sense.
func Budget(check sdk.Healthcheck) time.Duration {
	check = WithDefaults(check)
	return check.StartPeriod.Std() + time.Duration(check.Retries)*(check.Interval.Std()+check.Timeout.Std())
}

// pause is the time until the next check: the start interval at first, growing
// with the time waited up to the interval. It is never shorter than the last
// check took, so that checking takes at most half of what the machine could
// give to the thing being waited for.
func pause(check sdk.Healthcheck, waited, took time.Duration) time.Duration {
	wanted := max(check.StartInterval.Std(), waited/relaxation, took)
	return min(wanted, max(check.Interval.Std(), check.StartInterval.Std()))
}

// WithDefaults returns check with the defaults where it says nothing.
func WithDefaults(check sdk.Healthcheck) sdk.Healthcheck {
	if check.Interval <= 0 {
		check.Interval = sdk.Duration(DefaultInterval)
	}
	if check.Timeout <= 0 {
		check.Timeout = sdk.Duration(DefaultTimeout)
	}
	if check.Retries <= 0 {
		check.Retries = DefaultRetries
	}
	if check.StartInterval <= 0 {
		check.StartInterval = sdk.Duration(DefaultStartInterval)
	}
	return check
}

// attemptWithin turns the timeout of a single attempt into a failed check; the
// end of ctx itself is left to the caller.
func attemptWithin(ctx context.Context, timeout time.Duration, attempt Attempt) (Result, error) {
	attemptCtx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	result, err := attempt(attemptCtx)
	if result.Passed && err == nil {
		return result, nil
	}
	if ctx.Err() != nil {
		return Result{}, nil
	}
	if attemptCtx.Err() != nil {
		return Result{Output: fmt.Sprintf("no answer within %s", timeout)}, nil
	}
	return result, err
}

func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// ended is the error for a wait that ctx cut short.
func ended(ctx context.Context, last Result) error {
	cause := context.Cause(ctx)
	return &sdk.Error{Code: sdk.CodeOf(cause), Op: "healthcheck", Err: fmt.Errorf("not healthy yet: %w", cause), Output: last.Output}
}

// withOutput adds what the last check printed to an error that says nothing
// of it: the reason why a container ended is often there.
func withOutput(err error, last Result) error {
	e, ok := errors.AsType[*sdk.Error](err)
	if !ok || e.Output != "" {
		return err
	}
	with := *e
	with.Output = last.Output
	return &with
}
