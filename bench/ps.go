package main

import (
	"context"
	"errors"
)

// ps measures looking at 20 containers that run. Both stacks run at the same
// time, so that the lookers can take turns.
func ps(ctx context.Context, h *harness) (err error) {
	files, err := quiet(20).write(h.dir, h.engine.prefix)
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
	if _, _, err := h.once(ctx, h.compose, "-f", files.compose, "up", "-d", "--quiet-pull"); err != nil {
		return err
	}
	defer func() {
		_, _, downErr := h.once(ctx, h.compose, "-f", files.compose, "down", "-v")
		err = errors.Join(err, downErr)
	}()
	took, err := h.programs(ctx, map[string][]string{
		us:    {h.program, "ps", "-f", files.manifest},
		rival: {h.compose, "-f", files.compose, "ps"},
		best:  {h.self, "floor", "ps", files.project},
	})
	if err != nil {
		return err
	}
	h.report.add("ps of 20", "ms", took)
	h.report.compare("ps ÷ compose ps", took[us], took[rival], 0.8)
	h.report.compare("ps ÷ floor", took[us], took[best], none)
	return nil
}
