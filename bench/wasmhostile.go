package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/lightshuttle/lightshuttle/host/wasm/hostile"
)

// wasmHostile runs the hostile suite once: how many groups the host survives, how
// much later than its deadline an attack ends, and for how long other goroutines
// are held up. An attack that misses a bound is tried again, because what else
// the machine does must not decide; what really stalls does so always.
func wasmHostile(ctx context.Context, h *harness) error {
	const (
		mostOverrun = 500 * time.Millisecond
		mostStall   = 100 * time.Millisecond
		attempts    = 3
	)
	attacks := hostile.Attacks()
	var failed []error
	died := map[string]bool{}
	var overrun, stall time.Duration
	var latest, stallest hostile.Attack
	for _, a := range attacks {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		best := a.Try(ctx)
		for range attempts - 1 {
			if best.Wrong == nil && best.Overrun <= mostOverrun && best.Stall <= mostStall {
				break
			}
			again := a.Try(ctx)
			best.Wrong = errors.Join(best.Wrong, again.Wrong)
			best.Overrun, best.Stall = min(best.Overrun, again.Overrun), min(best.Stall, again.Stall)
		}
		if best.Wrong != nil {
			died[a.Group] = true
			failed = append(failed, fmt.Errorf("%s/%s: %w", a.Group, a.Name, best.Wrong))
		}
		if best.Overrun > overrun {
			overrun, latest = best.Overrun, a
		}
		if best.Stall > stall {
			stall, stallest = best.Stall, a
		}
	}
	groups := len(hostile.Groups(attacks))
	fmt.Fprintf(os.Stderr, "   %d attacks in %d groups; latest: %s/%s; longest stall: %s/%s\n",
		len(attacks), groups, latest.Group, latest.Name, stallest.Group, stallest.Name)
	h.report.add("hostile groups tried", "groups", figures{us: {float64(groups)}})
	h.report.add("hostile groups survived", "groups", figures{us: {float64(groups - len(died))}})
	h.report.limit("hostile groups that weren't survived", float64(len(died)), 0, "groups")
	h.report.limit("hostile: the latest end after its deadline", milliseconds(overrun), milliseconds(mostOverrun), "ms")
	h.report.limit("hostile: the longest stall of another goroutine", milliseconds(stall), milliseconds(mostStall), "ms")
	return errors.Join(failed...)
}
