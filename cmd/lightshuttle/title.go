package main

import (
	"fmt"
	"time"

	"github.com/lightshuttle/lightshuttle/host/lifecycle"
)

// title is the line above the table.
type title struct {
	// phase is the type of the last event of the stack as a whole.
	phase lifecycle.EventType
	// began is when the phase began, startBegan when the start did.
	began      time.Time
	startBegan time.Time
	took       time.Duration
	failed     bool
	detached   bool
}

func (t *title) note(event lifecycle.Event) {
	switch event.Type {
	case lifecycle.StackStarting:
		t.startBegan = event.Time
	case lifecycle.StackFailed:
		t.failed = true
	case lifecycle.StackStarted:
		t.took = event.Time.Sub(t.startBegan)
	case lifecycle.StackStopping:
	case lifecycle.StackStopped:
		t.took = event.Time.Sub(t.began)
	default:
		return
	}
	t.phase, t.began = event.Type, event.Time
}

// busy says that elapsed times are worth showing as they grow.
func (t *title) busy() bool { return t.phase != lifecycle.StackStarted }

func (t *title) text(now time.Time) string {
	switch t.phase {
	case lifecycle.StackStarting:
		return fmt.Sprintf("starting for %s; Ctrl-C ends it", short(now.Sub(t.began)))
	case lifecycle.StackStarted:
		return fmt.Sprintf("started in %s; %s", short(t.took), onceStarted(t.detached))
	case lifecycle.StackFailed:
		return "the start failed"
	case lifecycle.StackStopping:
		if t.failed {
			return fmt.Sprintf("the start failed, rolling back for %s; Ctrl-C kills at once", short(now.Sub(t.began)))
		}
		return fmt.Sprintf("stopping for %s; Ctrl-C kills at once", short(now.Sub(t.began)))
	case lifecycle.StackStopped:
		if t.failed {
			return fmt.Sprintf("the start failed, rolled back in %s", short(t.took))
		}
		return "stopped in " + short(t.took)
	}
	return ""
}

// short is a duration as exact as people want it.
func short(d time.Duration) string { return d.Truncate(100 * time.Millisecond).String() }
