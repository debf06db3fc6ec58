package main

import (
	"context"
	"errors"
)

// ps measures looking at 20 containers that run: of a detached stack, where the
// engine is asked, and of a living `up`, which knows. Both stacks run at the
// same time, so that the lookers can take turns.
func ps(ctx context.Context, h *harness) (err error) {
	files, err := quiet(20).write(h.dir, h.engine.prefix)
	if err != nil {
		return err
	}
	down, err := h.detached(ctx, files)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, down()) }()
	if err := h.timePs(ctx, "ps of 20", files); err != nil {
		return err
	}
	running, _, err := h.begin(ctx, programReady, h.program, "up", "--json", "-f", files.manifest)
	if err != nil {
		return err
	}
	err = h.timePs(ctx, "ps of 20, of a living up", files)
	_, endErr := running.end()
	return errors.Join(err, endErr)
}

func (h *harness) timePs(ctx context.Context, what string, files files) error {
	took, err := h.programs(ctx, map[string][]string{
		us:    {h.program, "ps", "-f", files.manifest},
		rival: {h.compose, "-f", files.compose, "ps"},
		best:  {h.self, "floor", "ps", files.project},
	})
	if err != nil {
		return err
	}
	h.report.add(what, "ms", took)
	h.report.compare(what+" ÷ compose ps", took[us], took[rival], 0.8)
	h.report.compare(what+" ÷ floor", took[us], took[best], none)
	return nil
}

// detached brings up the stack of both, to run on until down is called.
func (h *harness) detached(ctx context.Context, files files) (down func() error, err error) {
	down = func() error {
		_, _, ours := h.once(ctx, h.program, "down", "--volumes", "-f", files.manifest)
		_, _, theirs := h.once(ctx, h.compose, "-f", files.compose, "down", "-v")
		return errors.Join(ours, theirs)
	}
	_, _, err = h.once(ctx, h.program, "up", "--detach", "-f", files.manifest)
	if err == nil {
		_, _, err = h.once(ctx, h.compose, "-f", files.compose, "up", "-d", "--quiet-pull")
	}
	if err != nil {
		return nil, errors.Join(err, down())
	}
	return down, nil
}
