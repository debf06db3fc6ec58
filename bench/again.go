package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// again measures bringing up what is up: 20 containers that have run for a
// while, healthy and unchanged. Both stacks run at the same time, so that the
// subjects can take turns. The floor is one list of the containers.
func again(ctx context.Context, h *harness) (err error) {
	files, err := settled(20).write(h.dir, h.engine.prefix)
	if err != nil {
		return err
	}
	down, err := h.detached(ctx, files)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, down()) }()
	if err := h.engine.awaitHealthy(ctx); err != nil {
		return err
	}
	before, err := h.engine.lives(ctx, files.project)
	if err != nil {
		return err
	}
	took, err := h.programs(ctx, map[string][]string{
		us:    {h.program, "up", "--detach", "-f", files.manifest},
		rival: {h.compose, "-f", files.compose, "up", "-d", "--quiet-pull"},
		best:  {h.self, "floor", "ps", files.project},
	})
	if err != nil {
		return err
	}
	after, err := h.engine.lives(ctx, files.project)
	if err != nil {
		return err
	}
	h.report.add("up of 20 that are up", "ms", took)
	h.report.compare("up of 20 that are up ÷ compose", took[us], took[rival], 0.6)
	h.report.compare("up of 20 that are up ÷ floor", took[us], took[best], none)
	h.report.limit("containers touched by it", float64(touched(before, after)), 0, "containers")
	return nil
}

// lives are the containers of a project of ours, with when each was started.
func (e *engine) lives(ctx context.Context, project string) (map[string]string, error) {
	seen, err := e.look(ctx)
	if err != nil {
		return nil, err
	}
	lives := map[string]string{}
	for _, c := range seen.containers {
		if c.Labels[sdk.LabelProject] != project {
			continue
		}
		inspected, err := e.api.ContainerInspect(ctx, c.ID)
		if err != nil {
			return nil, err
		}
		lives[c.ID] = inspected.State.StartedAt
	}
	if len(lives) == 0 {
		return nil, fmt.Errorf("project %s has no containers", project)
	}
	return lives, nil
}

// touched counts the containers that went, came or were started again.
func touched(before, after map[string]string) int {
	count := 0
	for id, started := range before {
		if after[id] != started {
			count++
		}
	}
	for id := range after {
		if before[id] == "" {
			count++
		}
	}
	return count
}

// awaitHealthy waits until the engine calls all containers of the run healthy.
func (e *engine) awaitHealthy(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, longestTurn)
	defer cancel()
	ticker := time.NewTicker(500 * time.Millisecond)
	defer ticker.Stop()
	for {
		seen, err := e.look(ctx)
		if err != nil {
			return err
		}
		waiting := 0
		for _, c := range seen.containers {
			if !saysHealthy(c) {
				waiting++
			}
		}
		if waiting == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d containers didn't become healthy: %w", waiting, ctx.Err())
		case <-ticker.C:
		}
	}
}

// saysHealthy reads the engine's words, as an old engine has no others in a
// list.
func saysHealthy(c container.Summary) bool { return strings.Contains(c.Status, "(healthy)") }
