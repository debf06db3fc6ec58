package main

import (
	"context"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/lightshuttle/lightshuttle/host/lifecycle"
	"github.com/lightshuttle/lightshuttle/sdk"
)

const (
	// refresh is the time between two drawings while something goes on.
	refresh = 100 * time.Millisecond
	// glance is the time between two looks at a stack that just runs: is the
	// terminal still as wide, and has a log message taken the table away?
	glance = time.Second
)

// table is the live view: a line for each resource, drawn over itself.
type table struct {
	app    *app
	screen *screen
	// title says how the stack as a whole is.
	title title

	mu       sync.Mutex
	prepares map[string]sdk.Progress
}

func newTable(a *app, detached bool) *table {
	return &table{app: a, title: title{detached: detached}, screen: &screen{out: a.stderr, size: func() (int, int) { return sizeOf(a.stderr) }}, prepares: map[string]sdk.Progress{}}
}

// sizeOf is that of the terminal, or what every terminal has.
func sizeOf(w io.Writer) (width, height int) {
	if file, ok := w.(*os.File); ok {
		if w, h, err := term.GetSize(int(file.Fd())); err == nil && w > 0 && h > 0 {
			return w, h
		}
	}
	return 80, 24
}

func (v *table) progress(resource string, progress sdk.Progress) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.prepares[resource] = progress
}

func (v *table) follow(manager *lifecycle.Manager) {
	v.app.log.divert(v.screen.above)
	defer v.app.log.divert(nil)
	events := make(chan lifecycle.Event)
	go func() {
		defer close(events)
		for event := range manager.Events().Since(context.Background(), 0) {
			events <- event
		}
	}()
	ticker := time.NewTicker(refresh)
	defer ticker.Stop()
	dirty := false
	for {
		select {
		case event, more := <-events:
			if !more {
				v.draw(manager)
				return
			}
			v.title.note(event)
			dirty = true
			ticker.Reset(refresh)
		case <-ticker.C:
			if dirty || v.title.busy() || v.screen.stale() {
				v.draw(manager)
			}
			dirty = false
			if !v.title.busy() {
				ticker.Reset(glance)
			}
		}
	}
}

func (v *table) draw(manager *lifecycle.Manager) {
	now := time.Now()
	rows := tableRows(manager.Snapshot(), now, v.preparation)
	title := v.title.text(now)
	v.screen.draw(title, rows, v.app.colour)
}

func (v *table) preparation(name string) sdk.Progress {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.prepares[name]
}
