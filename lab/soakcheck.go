package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
)

// allIsThere looks whether the stack is as the manifest wants it.
func (w *worker) allIsThere() {
	if w.disturbed() {
		return
	}
	seen, err := w.engine.containers(w.ctx, w.project)
	if w.disturbed() {
		return
	}
	if err != nil {
		w.wrong("%v", err)
		return
	}
	for _, r := range w.running.resources {
		i := slices.IndexFunc(seen, func(c container.Summary) bool { return resourceOf(c) == r.name })
		switch {
		case i < 0:
			w.wrong("up is ready without %s", r.name)
		case w.running.completes(r) != (w.stateNow(seen[i]) == "exited"):
			w.wrong("up is ready, and %s is %s", r.name, w.stateNow(seen[i]))
		}
	}
	for _, c := range seen {
		if _, wanted := w.running.find(resourceOf(c)); !wanted {
			w.wrong("up is ready, and %s is still there", resourceOf(c))
		}
	}
}

// stateNow asks for one container: the engine tells of an end, and says so when
// it is asked, some moments before its list does.
func (w *worker) stateNow(c container.Summary) string {
	seen, err := w.engine.api.ContainerInspect(w.ctx, c.ID)
	if err != nil {
		return err.Error()
	}
	return seen.State.Status
}

func (w *worker) nothingIsLeft(after string) {
	left, err := w.leaks(w.ctx)
	if w.disturbed() {
		return
	}
	if err != nil || len(left) > 0 {
		w.wrong("LEAK after %s: %s, %v", after, strings.Join(left, ", "), err)
	}
}

// check compares the model with the world, once the engine is there.
func (w *worker) check() {
	if w.failed {
		return
	}
	w.awaitEngine()
	w.begin()
	if w.owner != nil {
		w.ownerAgrees()
		return
	}
	problems := w.psTellsTheTruth(w.ctx)
	if len(problems) > 0 && !w.disturbed() {
		w.wrong("%s", strings.Join(problems, "; "))
	}
}

// ownerAgrees waits until what the owner said is what the engine says.
func (w *worker) ownerAgrees() {
	select {
	case <-w.owner.ended:
		r := w.owner
		w.endOwner()
		w.noteRun("up", r)
		w.wrong("up ended by itself with code %d", r.command.ProcessState.ExitCode())
		return
	default:
	}
	limit := time.NewTimer(noticing)
	defer limit.Stop()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	var difference error
	for {
		if difference = w.difference(); difference == nil {
			return
		}
		select {
		case <-tick.C:
		case <-limit.C:
			if !w.disturbed() {
				w.wrong("the owner and the engine don't agree: %v", difference)
			}
			return
		}
	}
}

// alive are the events after which a container runs.
var alive = []string{"resource_started", "resource_ready", "resource_healthy", "resource_unhealthy"}

// difference says in what the owner's last words differ from the engine's
// state; nil if in nothing.
func (w *worker) difference() error {
	seen, err := w.engine.containers(w.ctx, w.project)
	if err != nil {
		return err
	}
	runs := map[string]bool{}
	for _, c := range seen {
		if c.State == "running" {
			runs[resourceOf(c)] = true
		}
	}
	last := map[string]string{}
	for _, e := range w.owner.seen() {
		if e.Resource != "" && isState(e.Type) {
			last[e.Resource] = e.Type
		}
	}
	var texts []error
	for _, r := range w.running.resources {
		if said := slices.Contains(alive, last[r.name]); said != runs[r.name] {
			texts = append(texts, fmt.Errorf("%s: the owner's last word is %s, the engine has it running: %t", r.name, last[r.name], runs[r.name]))
		}
	}
	return errors.Join(texts...)
}

// isState leaves out the events that are no change of a resource's state.
func isState(kind string) bool {
	return strings.HasPrefix(kind, "resource_") && kind != "resource_dependency_restarted"
}
