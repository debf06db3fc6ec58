package wasm

import (
	"context"
	"time"
)

// rate is a bucket of tokens.
type rate struct {
	perSecond float64
	burst     float64
	tokens    float64
	last      time.Time
}

func newRate(perSecond, burst float64) *rate {
	return &rate{perSecond: perSecond, burst: burst, tokens: burst, last: time.Now()}
}

// take takes a token if there is one.
func (r *rate) take() bool {
	now := time.Now()
	r.tokens = min(r.burst, r.tokens+now.Sub(r.last).Seconds()*r.perSecond)
	r.last = now
	if r.tokens < 1 {
		return false
	}
	r.tokens--
	return true
}

// wait takes a token, when there is one.
func (r *rate) wait(ctx context.Context) error {
	for !r.take() {
		if err := sleep(ctx, time.Duration((1-r.tokens)/r.perSecond*float64(time.Second))+time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
