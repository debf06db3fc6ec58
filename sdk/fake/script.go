package fake

import (
	"context"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Script says how the container of one resource behaves. The zero value is a
// container that starts at once, is ready at once and stops when asked to.
type Script struct {
	Prepare     Phase
	Start       Phase
	WaitHealthy Phase
	Stop        Phase
	Remove      Phase

	// Unprepared makes Prepared say that there is something to prepare.
	Unprepared bool
	// ImageCheck is the healthcheck of the image, if it has one.
	ImageCheck *sdk.Healthcheck
	// Exits makes the container end by itself, ExitAfter its start.
	Exits     bool
	ExitAfter time.Duration
	ExitCode  int
	// IgnoresStop makes the container run on until it is killed.
	IgnoresStop bool
	// Log is what the container has printed.
	Log string
}

// Phase says how one operation goes: it takes Delay, then panics, hangs until
// its context ends, fails, or succeeds.
type Phase struct {
	Delay time.Duration
	// Deaf makes Delay pass even when the context ends.
	Deaf  bool
	Panic any
	Hang  bool
	Err   error
}

func (p Phase) play(ctx context.Context) error {
	if p.Delay > 0 {
		timer := time.NewTimer(p.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-p.hears(ctx):
			return ctx.Err()
		}
	}
	if p.Panic != nil {
		panic(p.Panic)
	}
	if p.Hang {
		<-ctx.Done()
		return ctx.Err()
	}
	return p.Err
}

func (p Phase) hears(ctx context.Context) <-chan struct{} {
	if p.Deaf {
		return nil
	}
	return ctx.Done()
}
