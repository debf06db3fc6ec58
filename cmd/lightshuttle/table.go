package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"golang.org/x/term"

	"github.com/lightshuttle/lightshuttle/cmd/lightshuttle/plaintext"
	"github.com/lightshuttle/lightshuttle/host/lifecycle"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// refresh is the time between two drawings while something goes on; a stack
// that just runs is drawn when something happens.
const refresh = 100 * time.Millisecond

// table is the live view: a line for each resource, drawn over itself.
type table struct {
	app   *app
	began time.Time
	// height is the number of lines drawn last.
	height int
	phase  string

	mu       sync.Mutex
	prepares map[string]sdk.Progress
}

func newTable(a *app) *table { return &table{app: a, prepares: map[string]sdk.Progress{}} }

func (v *table) progress(resource string, progress sdk.Progress) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.prepares[resource] = progress
}

func (v *table) follow(manager *lifecycle.Manager) {
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
			v.note(event)
			dirty = true
			if !v.busy() {
				ticker.Reset(refresh)
			}
		case <-ticker.C:
			if dirty || v.busy() {
				v.draw(manager)
			}
			dirty = false
			if !v.busy() {
				ticker.Reset(time.Hour)
			}
		}
	}
}

// busy says that elapsed times are worth showing as they grow.
func (v *table) busy() bool { return v.phase != "running" }

func (v *table) note(event lifecycle.Event) {
	switch event.Type {
	case lifecycle.StackStarting:
		v.began, v.phase = event.Time, "starting"
	case lifecycle.StackStarted:
		v.phase = "running"
		fmt.Fprint(v.app.stderr, v.erase())
		fmt.Fprintf(v.app.stderr, "started in %s; Ctrl-C stops it\n", event.Time.Sub(v.began).Round(10*time.Millisecond))
	case lifecycle.StackFailed:
		v.phase = "failed"
	case lifecycle.StackStopping:
		v.phase = "stopping"
	}
}

// erase moves to the first line drawn last, and clears from there.
func (v *table) erase() string {
	if v.height == 0 {
		return ""
	}
	text := fmt.Sprintf("\x1b[%dA\x1b[J", v.height)
	v.height = 0
	return text
}

func (v *table) draw(manager *lifecycle.Manager) {
	var text bytes.Buffer
	rows := tabwriter.NewWriter(&text, 0, 8, 2, ' ', 0)
	now := time.Now()
	for _, r := range manager.Snapshot() {
		fmt.Fprintf(rows, "%s\t%s\t%s\t%s\n", r.Name, r.State, v.elapsed(r, now), v.detail(r))
	}
	_ = rows.Flush() // a buffer takes everything
	shown := v.fit(strings.Split(strings.TrimRight(text.String(), "\n"), "\n"))
	fmt.Fprint(v.app.stderr, v.erase()+v.paint(strings.Join(shown, "\n"))+"\n")
	v.height = len(shown)
}

// fit keeps the table within the terminal, since what has scrolled away can't
// be drawn over.
func (v *table) fit(rows []string) []string {
	width, height := 80, 24
	if file, ok := v.app.stderr.(*os.File); ok {
		if w, h, err := term.GetSize(int(file.Fd())); err == nil && w > 0 && h > 0 { //nolint:gosec // a descriptor fits
			width, height = w, h
		}
	}
	most := max(1, height-2)
	if len(rows) > most {
		hidden := len(rows) - most + 1
		rows = append(rows[hidden:len(rows):len(rows)], fmt.Sprintf("… and %d more", hidden))
	}
	for i, row := range rows {
		if runes := []rune(row); len(runes) >= width {
			rows[i] = string(runes[:width-1])
		}
	}
	return rows
}

func (v *table) elapsed(r lifecycle.Resource, now time.Time) string {
	if r.State == lifecycle.Pending || !v.busy() {
		return ""
	}
	return now.Sub(r.Since).Truncate(100 * time.Millisecond).String()
}

func (v *table) detail(r lifecycle.Resource) string {
	switch {
	case r.State == lifecycle.Preparing:
		return v.preparation(r.Name)
	case r.State == lifecycle.Pending && len(r.WaitingFor) > 0:
		return "waits for " + strings.Join(r.WaitingFor, ", ")
	case r.LastError != "" && !r.Ready:
		return plaintext.Line(r.LastError)
	case r.Ready || r.State == lifecycle.Running:
		return formatPorts(r.Ports)
	}
	return ""
}

func (v *table) preparation(name string) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	progress := v.prepares[name]
	switch {
	case progress.Action == "build" && progress.Total > 0:
		return fmt.Sprintf("build %d/%d %s", progress.Current, progress.Total, plaintext.Line(progress.Status))
	case progress.Total > 0:
		return fmt.Sprintf("%s %d%% of %.1f MB", progress.Action, 100*progress.Current/progress.Total, float64(progress.Total)/1e6)
	}
	return strings.TrimSpace(progress.Action + " " + plaintext.Line(progress.Status))
}

// paint colours the states.
func (v *table) paint(text string) string {
	if !v.app.colour {
		return text
	}
	return stateColours.Replace(text)
}

var stateColours = strings.NewReplacer(
	"  healthy ", "  \x1b[32mhealthy\x1b[0m ", "  running ", "  \x1b[32mrunning\x1b[0m ",
	"  failed ", "  \x1b[31mfailed\x1b[0m ", "  unhealthy ", "  \x1b[31munhealthy\x1b[0m ", "  exited ", "  \x1b[33mexited\x1b[0m ",
	"  starting ", "  \x1b[36mstarting\x1b[0m ", "  preparing ", "  \x1b[36mpreparing\x1b[0m ",
)
