package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// idleTime is how long `up` is watched while nothing happens.
const idleTime = 30 * time.Second

// idleSupervision measures what watching over 20 healthy containers costs the
// program. Their healthchecks are the engine's work, and aren't in it.
func idleSupervision(ctx context.Context, h *harness) (err error) {
	files, err := settled(20).write(h.dir, h.engine.prefix)
	if err != nil {
		return err
	}
	running, _, err := h.begin(ctx, programReady, h.program, "up", "--json", "-f", files.manifest)
	if err != nil {
		return err
	}
	defer func() {
		_, endErr := running.end()
		err = errors.Join(err, endErr)
	}()
	if err := h.engine.awaitHealthy(ctx); err != nil {
		return err
	}
	var shares, wakeups series
	for round := range h.runs {
		fmt.Fprintf(os.Stderr, "   round %d of %d\n", round+1, h.runs)
		before, err := effortOf(running.command.Process.Pid)
		if err != nil {
			return err
		}
		began := time.Now()
		select {
		case <-time.After(idleTime):
		case <-ctx.Done():
			return ctx.Err()
		}
		after, err := effortOf(running.command.Process.Pid)
		if err != nil {
			return err
		}
		elapsed := time.Since(began)
		shares = append(shares, 100*float64(after.cpu-before.cpu)/float64(elapsed))
		wakeups = append(wakeups, float64(after.switches-before.switches)/elapsed.Seconds())
	}
	h.report.add("idle supervision of 20", "% of a core", figures{us: shares})
	h.report.add("idle supervision of 20, wake-ups", "a second", figures{us: wakeups})
	h.report.limit("idle supervision of 20, share of a core", shares.median(), 0.2, "%")
	return nil
}

// effort is what a process has done so far.
type effort struct {
	cpu time.Duration
	// switches are the times at which its threads went to sleep by themselves.
	switches int64
}

// effortOf adds up the threads of a process. Go's threads seldom end.
func effortOf(pid int) (effort, error) {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
	if err != nil {
		return effort{}, err
	}
	if len(threads) == 0 {
		return effort{}, fmt.Errorf("process %d has no threads to be seen", pid)
	}
	var sum effort
	for _, thread := range threads {
		schedule, err := os.ReadFile(filepath.Join(thread, "schedstat"))
		if err != nil {
			return effort{}, err
		}
		status, err := os.ReadFile(filepath.Join(thread, "status"))
		if err != nil {
			return effort{}, err
		}
		one, err := effortIn(string(schedule), string(status))
		if err != nil {
			return effort{}, fmt.Errorf("%s: %w", thread, err)
		}
		sum.cpu += one.cpu
		sum.switches += one.switches
	}
	return sum, nil
}

// effortIn reads a thread's schedstat, whose first number is its time on a
// core in nanoseconds, and its status.
func effortIn(schedule, status string) (effort, error) {
	cpu, _, _ := strings.Cut(schedule, " ")
	nanoseconds, err := strconv.ParseInt(cpu, 10, 64)
	if err != nil {
		return effort{}, err
	}
	_, rest, ok := strings.Cut(status, "\nvoluntary_ctxt_switches:")
	if !ok {
		return effort{}, errors.New("the status has no voluntary_ctxt_switches")
	}
	count, _, _ := strings.Cut(rest, "\n")
	switches, err := strconv.ParseInt(strings.TrimSpace(count), 10, 64)
	return effort{time.Duration(nanoseconds), switches}, err
}
