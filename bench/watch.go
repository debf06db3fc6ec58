package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"
)

// watch measures how soon `up` says that a container was killed from outside,
// after a raw subscriber of the engine has heard of it. Both are heard by this
// process.
func watch(ctx context.Context, h *harness) (err error) {
	stack := quiet(20)
	files, err := stack.write(h.dir, h.engine.prefix)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, longestTurn)
	defer cancel()
	said := make(chan death, len(stack.Services))
	running, _, err := h.beginHearing(ctx, func(line string, at time.Time) {
		if name, ok := exitedIn(line); ok {
			said <- death{name, at}
		}
	}, programReady, h.program, "up", "--json", "-f", files.manifest)
	if err != nil {
		return err
	}
	defer func() {
		_, endErr := running.end()
		err = errors.Join(err, endErr)
	}()
	raw := h.deaths(ctx)
	var behind, after series
	for _, one := range stack.Services {
		id, err := h.engine.find(ctx, one.Name)
		if err != nil {
			return err
		}
		killed := time.Now()
		if err := h.engine.api.ContainerKill(ctx, id, "SIGKILL"); err != nil {
			return err
		}
		first, err := deathOf(ctx, raw, one.Name)
		if err != nil {
			return fmt.Errorf("the engine said nothing of %s: %w", one.Name, err)
		}
		ours, err := deathOf(ctx, said, one.Name)
		if err != nil {
			return fmt.Errorf("up said nothing of %s: %w", one.Name, err)
		}
		behind = append(behind, milliseconds(ours.Sub(first)))
		after = append(after, milliseconds(first.Sub(killed)))
	}
	h.report.add("exit event after the raw subscriber's", "ms", figures{us: behind})
	h.report.add("exit event after the kill", "ms", figures{best: after})
	h.report.limit("exit event after the raw subscriber's, median", behind.median(), 50, "ms")
	return nil
}

// death is a container's end, and when it was heard of.
type death struct {
	service string
	at      time.Time
}

// exitedIn finds in a line of `up --json` the resource whose container ended.
func exitedIn(line string) (resource string, ok bool) {
	var event struct{ Type, Resource string }
	if json.Unmarshal([]byte(line), &event) != nil || event.Type != "resource_exited" {
		return "", false
	}
	return event.Resource, true
}

// deaths listens to the engine for the ends of the run's containers.
func (h *harness) deaths(ctx context.Context) <-chan death {
	args := filters.NewArgs(filters.Arg("type", string(events.ContainerEventType)), filters.Arg("event", string(events.ActionDie)))
	heard, failed := h.engine.api.Events(ctx, events.ListOptions{Filters: args})
	ends := make(chan death, 1024)
	go func() {
		defer close(ends)
		for {
			select {
			case <-failed:
				return
			case event := <-heard:
				if labels := event.Actor.Attributes; h.engine.ours(labels) {
					ends <- death{serviceOf(labels), time.Now()}
				}
			}
		}
	}()
	return ends
}

func deathOf(ctx context.Context, ends <-chan death, service string) (time.Time, error) {
	for {
		select {
		case end, ok := <-ends:
			if !ok {
				return time.Time{}, errors.New("the events ended")
			}
			if end.service == service {
				return end.at, nil
			}
		case <-ctx.Done():
			return time.Time{}, ctx.Err()
		}
	}
}
