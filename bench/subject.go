package main

import (
	"context"
	"errors"
	"time"
)

// The names of the subjects.
const (
	us    = "lightshuttle"
	rival = "compose"
	best  = "floor"
	// byExec is the program on an engine's command line, beside us on its socket.
	byExec = "lightshuttle by exec"
)

// What the lines of the programs that stay in the foreground say.
const (
	programReady = `"stack_started"`
	floorReady   = "ready"
)

// turn is what one subject took for one stack.
type turn struct {
	up, down time.Duration
	// memory is the most resident memory of the process while it brought the
	// stack up, in bytes.
	memory int64
}

// subject is who brings a stack up and takes it down.
type subject struct {
	name string
	// run calls whileUp between the two.
	run func(ctx context.Context, files files, whileUp func() error) (turn, error)
}

// subjects in the order of their turns.
func (h *harness) subjects() []subject {
	return []subject{
		{us, func(ctx context.Context, files files, whileUp func() error) (turn, error) {
			return h.inForeground(ctx, whileUp, programReady, h.program, "up", "--json", "-f", files.manifest)
		}},
		{rival, func(ctx context.Context, files files, whileUp func() error) (turn, error) {
			up, command, err := h.once(ctx, h.compose, "-f", files.compose, "up", "-d", "--wait", "--quiet-pull")
			if err != nil {
				return turn{}, err
			}
			memory, err := endedPeak(command)
			if err != nil {
				return turn{}, err
			}
			if err := whileUp(); err != nil {
				return turn{}, err
			}
			down, _, err := h.once(ctx, h.compose, "-f", files.compose, "down", "-v")
			return turn{up, down, memory}, err
		}},
		{best, func(ctx context.Context, files files, whileUp func() error) (turn, error) {
			return h.inForeground(ctx, whileUp, floorReady, h.self, "floor", "up", files.floor)
		}},
	}
}

func (h *harness) inForeground(ctx context.Context, whileUp func() error, ready, program string, args ...string) (turn, error) {
	running, up, err := h.begin(ctx, ready, program, args...)
	if err != nil {
		return turn{}, err
	}
	memory, err := livingPeak(running.command.Process.Pid)
	if err == nil {
		err = whileUp()
	}
	down, endErr := running.end()
	return turn{up, down, memory}, errors.Join(err, endErr)
}

// take has a subject bring the stack up and down, and makes sure that nothing
// is left.
func (h *harness) take(ctx context.Context, s subject, files files, whileUp func() error) (turn, error) {
	var volumes []string
	took, err := s.run(ctx, files, func() error {
		var err error
		if volumes, err = h.engine.anonymous(ctx); err != nil || whileUp == nil {
			return err
		}
		return whileUp()
	})
	if err != nil {
		return turn{}, err
	}
	if err := h.engine.nothingLeft(ctx, volumes); err != nil {
		return turn{}, errors.Join(errors.New("after "+s.name), err)
	}
	return took, nil
}
