package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/lightshuttle/lightshuttle/cmd/lightshuttle/plaintext"
	"github.com/lightshuttle/lightshuttle/host/lifecycle"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// tableRow is one resource in the live table.
type tableRow struct {
	name    string
	state   lifecycle.State
	elapsed string
	detail  string
}

func tableRows(resources []lifecycle.Resource, now time.Time, preparation func(name string) sdk.Progress) []tableRow {
	rows := make([]tableRow, len(resources))
	for i, r := range resources {
		rows[i] = tableRow{name: r.Name, state: r.State, detail: detailOf(r, preparation)}
		if goesOn(r) {
			rows[i].elapsed = short(now.Sub(r.Since))
		}
	}
	return rows
}

// goesOn says that the resource is on its way to another state, so that it
// matters how long it takes.
func goesOn(r lifecycle.Resource) bool {
	switch r.State {
	case lifecycle.Preparing, lifecycle.Starting, lifecycle.Restarting, lifecycle.Stopping:
		return true
	case lifecycle.Running:
		return !r.Ready
	}
	return false
}

func detailOf(r lifecycle.Resource, preparation func(name string) sdk.Progress) string {
	switch {
	case r.State == lifecycle.Preparing:
		return progressText(preparation(r.Name))
	case r.State == lifecycle.Pending && len(r.WaitingFor) > 0:
		return "waits for " + strings.Join(r.WaitingFor, ", ")
	case r.State == lifecycle.Cancelled:
		return plaintext.Line(strings.TrimPrefix(r.LastError, "cancelled: "))
	case !r.NextStart.IsZero():
		return plaintext.Line(strings.TrimPrefix(r.LastError+"; restarts soon", "; "))
	case r.LastError != "" && !r.Ready:
		return plaintext.Line(r.LastError)
	case r.State == lifecycle.Running && !r.Ready:
		return "not ready yet"
	case r.State == lifecycle.Running, r.State == lifecycle.Healthy:
		return formatPorts(r.Ports)
	case r.State == lifecycle.Exited && r.Ready:
		return "completed"
	}
	return ""
}

func progressText(progress sdk.Progress) string {
	switch {
	case progress.Action == "build" && progress.Total > 0:
		return fmt.Sprintf("build %d/%d %s", progress.Current, progress.Total, plaintext.Line(progress.Status))
	case progress.Total > 0:
		return fmt.Sprintf("%s %d%% of %.1f MB", progress.Action, 100*progress.Current/progress.Total, float64(progress.Total)/1e6)
	}
	return strings.TrimSpace(progress.Action + " " + plaintext.Line(progress.Status))
}

// layOut makes lines of the rows that fit into width columns and most lines.
func layOut(rows []tableRow, width, most int, colour bool) []string {
	hidden := 0
	if len(rows) > most {
		hidden = len(rows) - most + 1
		rows = rows[hidden:]
	}
	names, states, times := 0, 0, 0
	for _, row := range rows {
		names, states, times = max(names, len(row.name)), max(states, len(row.state)), max(times, len(row.elapsed))
	}
	var lines []string
	if hidden > 0 {
		lines = append(lines, cut(fmt.Sprintf("… %d more", hidden), width))
	}
	for _, row := range rows {
		line := fmt.Sprintf("%-*s  %-*s  %*s  %s", names, row.name, states, row.state, times, row.elapsed, row.detail)
		line = cut(strings.TrimRight(line, " "), width)
		if colour {
			line = painted(line, names+2, row.state)
		}
		lines = append(lines, line)
	}
	return lines
}

// cut shortens a line to width columns, of which the last stays free: some
// terminals go to the next line when it is filled.
func cut(line string, width int) string {
	runes := []rune(line)
	if len(runes) < width {
		return line
	}
	return string(runes[:max(0, width-2)]) + "…"
}

var stateColours = map[lifecycle.State]string{
	lifecycle.Healthy: "\x1b[32m", lifecycle.Running: "\x1b[32m",
	lifecycle.Failed: "\x1b[31m", lifecycle.Unhealthy: "\x1b[31m", lifecycle.Exited: "\x1b[33m",
	lifecycle.Paused:   "\x1b[33m",
	lifecycle.Starting: "\x1b[36m", lifecycle.Preparing: "\x1b[36m", lifecycle.Restarting: "\x1b[36m", lifecycle.Stopping: "\x1b[36m",
}

// painted colours the state, which begins at a byte of the line: names have no
// others than ASCII letters.
func painted(line string, at int, state lifecycle.State) string {
	colour, end := stateColours[state], at+len(state)
	if colour == "" || len(line) < end || line[at:end] != string(state) {
		return line
	}
	return line[:at] + colour + line[at:end] + "\x1b[0m" + line[end:]
}
