package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// patientTimeout is that of checks by a command line: an exec that takes seconds
// because the machine is busy must not count as a failed check.
const patientTimeout = 30 * time.Second

// throughNerdctl brings five levels of four up and down on containerd, gated on
// health, against nerdctl's own compose, which waits for nothing, and against the
// same calls of nerdctl by hand, with the same probes.
func throughNerdctl(ctx context.Context, h *harness) (err error) {
	engine, err := h.nerdctl()
	if err != nil {
		return err
	}
	s := fiveByFour()
	s.Name = "nerdctl"
	for i := range s.Services {
		s.Services[i].Check.Interval, s.Services[i].Check.Timeout = settledInterval, patientTimeout
	}
	files, err := s.write(h.dir, h.engine.prefix)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engine.sweep()) }()
	up, down, err := h.upsAndDowns(ctx, h.nerdctlSubjects(engine.program), files, engine.nothingLeft)
	if err != nil {
		return err
	}
	h.report.add("nerdctl 5×4 up", "ms", up)
	h.report.add("nerdctl 5×4 down", "ms", down)
	h.report.compare("nerdctl up, gated on health ÷ nerdctl compose, gated on nothing", up[us], up[rival], 0.9)
	h.report.compare("nerdctl down ÷ nerdctl compose down", down[us], down[rival], 0.6)
	h.report.compare("nerdctl up ÷ floor", up[us], up[best], 1.15)
	h.report.compare("nerdctl down ÷ floor", down[us], down[best], 1.15)
	return nil
}

func (h *harness) nerdctlSubjects(program string) []subject {
	return []subject{
		{us, func(ctx context.Context, files files, whileUp func() error) (turn, error) {
			return h.inForeground(ctx, whileUp, programReady, "env", "LIGHTSHUTTLE_RUNTIME=nerdctl", "LIGHTSHUTTLE_RUNTIMES_NERDCTL_PATH="+program, h.program, "up", "--json", "-f", files.manifest)
		}},
		{rival, func(ctx context.Context, files files, _ func() error) (turn, error) {
			return h.twice(ctx, []string{program, "compose", "-f", files.compose, "up", "-d"}, []string{program, "compose", "-f", files.compose, "down", "-v"})
		}},
		{best, func(ctx context.Context, files files, whileUp func() error) (turn, error) {
			return h.inForeground(ctx, whileUp, floorReady, h.self, "floor", "nerdctl", program, files.floor)
		}},
	}
}

// twice is a subject that leaves after its up, and comes again for its down.
func (h *harness) twice(ctx context.Context, up, down []string) (turn, error) {
	upTook, _, err := h.once(ctx, up[0], up[1:]...)
	if err != nil {
		return turn{}, err
	}
	downTook, _, err := h.once(ctx, down[0], down[1:]...)
	return turn{up: upTook, down: downTook}, err
}

// upsAndDowns has the subjects take their turns on an engine; after each of them
// nothing may be left.
func (h *harness) upsAndDowns(ctx context.Context, subjects []subject, files files, nothingLeft func(context.Context) error) (up, down figures, err error) {
	up, down = figures{}, figures{}
	err = h.turnsOf(ctx, subjects, h.runs, func(who subject, counts bool) error {
		took, err := who.run(ctx, files, func() error { return nil })
		if err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "   %s: up %s, down %s\n", who.name, took.up.Round(time.Millisecond), took.down.Round(time.Millisecond))
		if err := nothingLeft(ctx); err != nil {
			return errors.Join(errors.New("after "+who.name), err)
		}
		if counts {
			up.add(who.name, milliseconds(took.up))
			down.add(who.name, milliseconds(took.down))
		}
		return nil
	})
	return up, down, err
}
