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
// when it can answer.
func gate(ctx context.Context, h *harness) error {
	requested, started, execs := figures{}, figures{}, figures{}
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
		passed, err := h.pass(ctx, who, written)
		if err != nil || !counts {
			return err
		}
		if who.name != rival { // it creates everything before it starts anything
			requested.add(who.name, milliseconds(passed.requested))
		}
		started.add(who.name, milliseconds(passed.started))
		execs.add(who.name, milliseconds(passed.exec))
		return nil
	})
	if err != nil {
		return err
	}
	h.report.add("ready to start request", "ms", requested)
	h.report.add("ready to started", "ms", started)
	h.report.add("one exec of the probe", "ms", execs)
	h.report.compare("ready to start request ÷ one exec", requested[us], execs[us], 2.5)
	h.report.compare("ready to start request ÷ floor", requested[us], requested[best], none)
	h.report.compare("ready to started ÷ compose", started[us], started[rival], none)
	return nil
}

// readyAfter spreads the moments: 137 ms is no multiple of any pause between
// two probes.
func readyAfter(round int) time.Duration {
	return time.Duration(200+137*(round%12)+11*(round/12)) * time.Millisecond
}

// passage is one dependent that went through the gate.
type passage struct {
	// requested and started are the times from readiness until the dependent's
	// start was asked for and until it had happened.
	requested, started time.Duration
	// exec is the time that one exec of the probe takes then.
	exec time.Duration
}

func (h *harness) pass(ctx context.Context, who subject, files files) (passage, error) {
	listening, stop := context.WithCancel(ctx)
	defer stop()
	begun := h.begun(listening)
	var p passage
	_, err := h.take(ctx, who, files, func() error {
		id, err := h.engine.find(ctx, "a")
		if err != nil {
			return err
		}
		ready, err := h.readyMoment(ctx, id)
		if err != nil {
			return err
		}
		created, started, err := begun("b")
		if err != nil {
			return err
		}
		p.requested, p.started = created.Sub(ready), started.Sub(ready)
		p.exec, err = h.execOnce(ctx, id)
		return err
	})
	if err == nil && who.name != rival && p.requested <= 0 {
		// Then the creation says nothing of the start request any more.
		err = fmt.Errorf("%s created the dependent %s before its time", who.name, -p.requested)
	}
	return p, err
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

// begun listens to the engine from now on. What it returns waits for the start
// of a service's container. The event of the creation comes when the engine has
// created it, which is when the start is asked for by who does both at once.
func (h *harness) begun(ctx context.Context) func(service string) (created, started time.Time, err error) {
	args := filters.NewArgs(
		filters.Arg("type", string(events.ContainerEventType)),
		filters.Arg("event", string(events.ActionCreate)), filters.Arg("event", string(events.ActionStart)),
	)
	heard, failed := h.engine.api.Events(ctx, events.ListOptions{Filters: args})
	return func(service string) (created, started time.Time, err error) {
		for {
			select {
			case err := <-failed:
				return created, started, err
			case event := <-heard:
				labels := event.Actor.Attributes
				if !h.engine.ours(labels) || serviceOf(labels) != service {
					continue
				}
				at := time.Unix(0, event.TimeNano)
				if event.Action == events.ActionStart {
					return created, at, nil
				}
				created = at
			}
		}
	}
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
