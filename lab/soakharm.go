package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
)

// pick chooses a container that runs.
func (w *worker) pick() (container.Summary, bool) {
	seen, err := w.engine.containers(w.ctx, w.project)
	if err != nil {
		return container.Summary{}, false
	}
	seen = slices.DeleteFunc(seen, func(c container.Summary) bool { return c.State != "running" })
	if len(seen) == 0 {
		return container.Summary{}, false
	}
	slices.SortFunc(seen, func(x, y container.Summary) int { return strings.Compare(resourceOf(x), resourceOf(y)) })
	return seen[w.dice.IntN(len(seen))], true
}

func (w *worker) doKillContainer() string {
	c, ok := w.pick()
	if !ok {
		return "none runs"
	}
	return w.hurt(c, "killed", func() error { return w.engine.api.ContainerKill(w.ctx, c.ID, "KILL") })
}

func (w *worker) doRemoveContainer() string {
	c, ok := w.pick()
	if !ok {
		return "none runs"
	}
	return w.hurt(c, "removed", func() error { return present(w.engine.api.ContainerRemove(w.ctx, c.ID, removeAll)) })
}

// hurt does something to a container from outside: the owner must notice.
func (w *worker) hurt(c container.Summary, done string, act func() error) string {
	resource := resourceOf(c)
	from := 0
	if w.owner != nil {
		from = len(w.owner.seen())
	}
	if err := act(); err != nil {
		if w.disturbed() {
			return "the engine is away"
		}
		// A container may end by itself, or be restarted, in the same moment.
		return resource + ": " + err.Error()
	}
	if w.owner == nil {
		return resource + " " + done
	}
	n := 0
	noticed, err := w.owner.await(noticing, func(e event) bool {
		n++
		return n > from && e.Resource == resource
	})
	if (err != nil || !noticed) && !w.disturbed() {
		return w.wrong("%s was %s, and the owner doesn't notice: %v", resource, done, err)
	}
	return resource + " " + done + ", noticed"
}

// mostAway is how long the engine is away at most.
const mostAway = 3 * time.Second

func (w *worker) doRestartEngine() string {
	pause := time.Duration(w.dice.Int64N(int64(mostAway)))
	if err := w.soak.restartEngine(context.WithoutCancel(w.ctx), pause); err != nil {
		return w.wrong("the engine doesn't come back: %v", err)
	}
	return fmt.Sprintf("away for %s", pause.Round(time.Millisecond))
}
