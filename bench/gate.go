package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"
)

// gate measures the time from the moment in which a probe could pass to the
// start of the dependent, against one exec of that probe. The server itself says
// when it can answer. The engine's event of the dependent's creation is the
// moment of its start request: the one is what the subject waits for before the
// other.
func gate(ctx context.Context, h *harness) error {
	delays, execs := figures{}, figures{}
	var written files
	// Many moments, so that they lie anywhere between two probes.
	rounds := max(12, 3*h.runs)
	round := -1
	err := h.turns(ctx, rounds, func(who subject, counts bool) error {
		if who.name == us { // the first of each round: all get the same delay
			round++
			var err error
			if written, err = late(readyAfter(round)).write(h.dir, h.engine.prefix); err != nil {
				return err
			}
		}
		delay, exec, err := h.gateOnce(ctx, who, written)
		if err != nil || !counts {
			return err
		}
		delays.add(who.name, milliseconds(delay))
		execs.add(who.name, milliseconds(exec))
		return nil
	})
	if err != nil {
		return err
	}
	h.report.add("ready to dependent", "ms", delays)
	h.report.add("one exec of the probe", "ms", execs)
	h.report.compare("ready to dependent ÷ one exec", delays[us], execs[us], 2.5)
	h.report.compare("ready to dependent ÷ compose", delays[us], delays[rival], none)
	h.report.compare("ready to dependent ÷ floor", delays[us], delays[best], none)
	return nil
}

// readyAfter spreads the moments: 137 ms is no multiple of any pause between
// two probes.
func readyAfter(round int) time.Duration {
	return time.Duration(200+137*(round%12)+11*(round/12)) * time.Millisecond
}

func (h *harness) gateOnce(ctx context.Context, who subject, files files) (delay, exec time.Duration, err error) {
	created, stop := h.creations(ctx)
	defer stop()
	_, err = h.take(ctx, who, files, func() error {
		id, err := h.engine.find(ctx, "a")
		if err != nil {
			return err
		}
		ready, err := h.readyMoment(ctx, id)
		if err != nil {
			return err
		}
		dependent, err := created(ctx, "b")
		if err != nil {
			return err
		}
		delay = dependent.Sub(ready)
		exec, err = h.execOnce(ctx, id)
		return err
	})
	if err == nil && delay <= 0 {
		// Then the creation says nothing of the start.
		err = fmt.Errorf("%s created the dependent %s before its time", who.name, -delay)
	}
	return delay, exec, err
}

func (h *harness) execOnce(ctx context.Context, id string) (time.Duration, error) {
	began := time.Now()
	code, err := execute(ctx, h.engine.api, id, everySecond().Test)
	took := time.Since(began)
	if err == nil && code != 0 {
		err = fmt.Errorf("the probe failed with exit code %d", code)
	}
	return took, err
}

// creations listens to the engine from now on. What it returns waits for the
// creation of a service's container. Compose creates all of them before it
// starts any, so for it the start itself counts.
func (h *harness) creations(ctx context.Context) (created func(ctx context.Context, service string) (time.Time, error), stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	args := filters.NewArgs(filters.Arg("type", string(events.ContainerEventType)), filters.Arg("event", string(events.ActionCreate)), filters.Arg("event", string(events.ActionStart)))
	heard, failed := h.engine.api.Events(ctx, events.ListOptions{Filters: args})
	return func(ctx context.Context, service string) (time.Time, error) {
		for {
			select {
			case <-ctx.Done():
				return time.Time{}, ctx.Err()
			case err := <-failed:
				return time.Time{}, err
			case event := <-heard:
				labels := event.Actor.Attributes
				if !h.engine.ours(labels) || serviceOf(labels) != service {
					continue
				}
				if labels[composeProject] == "" || event.Action == events.ActionStart {
					return time.Unix(0, event.TimeNano), nil
				}
			}
		}
	}, cancel
}

// readyMoment reads from the log of tiny when it began to listen.
func (h *harness) readyMoment(ctx context.Context, id string) (time.Time, error) {
	stream, err := h.engine.api.ContainerLogs(ctx, id, container.LogsOptions{ShowStdout: true})
	if err != nil {
		return time.Time{}, err
	}
	defer stream.Close()
	return readyIn(stream)
}

// readyIn finds tiny's line "ready" with its nanoseconds. The stream has the
// engine's frames, whose headers come before the word.
func readyIn(log io.Reader) (time.Time, error) {
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		_, digits, ok := strings.Cut(lines.Text(), "ready ")
		if !ok {
			continue
		}
		nanoseconds, err := strconv.ParseInt(digits, 10, 64)
		if err != nil {
			return time.Time{}, err
		}
		return time.Unix(0, nanoseconds), nil
	}
	return time.Time{}, errors.Join(errors.New("the log doesn't say when it was ready"), lines.Err())
}
