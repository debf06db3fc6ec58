package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/lightshuttle/lightshuttle/host/lifecycle"
	"github.com/lightshuttle/lightshuttle/sdk"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func sampleRows() []tableRow {
	seven := 7
	resources := []lifecycle.Resource{
		{Name: "db", State: lifecycle.Healthy, Ready: true, Since: noon, Ports: []sdk.PortBinding{{HostIP: "127.0.0.1", HostPort: 5432, ContainerPort: 5432, Protocol: sdk.TCP}}},
		{Name: "a-long-name", State: lifecycle.Running, Since: noon.Add(-1500 * time.Millisecond)},
		{Name: "image", State: lifecycle.Preparing, Since: noon.Add(-12 * time.Second)},
		{Name: "job", State: lifecycle.Exited, Ready: true, Since: noon},
		{Name: "broken", State: lifecycle.Failed, Since: noon, ExitCode: &seven, LastError: "exited with code 7\nand a second \x1b[31mline"},
		{Name: "app", State: lifecycle.Pending, Since: noon, WaitingFor: []string{"db", "broken"}},
	}
	return tableRows(resources, noon, func(string) sdk.Progress { return sdk.Progress{Action: "pull", Current: 30, Total: 40_000_000} })
}

func TestLayOut(t *testing.T) {
	got := strings.Join(layOut(sampleRows(), 80, 20, false), "\n")
	want := strings.TrimPrefix(`
db           healthy          127.0.0.1:5432->5432
a-long-name  running    1.5s  not ready yet
image        preparing   12s  pull 0% of 40.0 MB
job          exited           completed
broken       failed           exited with code 7 and a second line
app          pending          waits for db, broken`, "\n")
	if got != want {
		t.Errorf("the table is\n%s\nwant\n%s", got, want)
	}
}

func TestLayOutFits(t *testing.T) {
	for _, width := range []int{1, 2, 10, 30, 79, 200} {
		for _, most := range []int{1, 3, 6, 50} {
			lines := layOut(sampleRows(), width, most, false)
			if len(lines) > most {
				t.Errorf("%d lines, at most %d fit", len(lines), most)
			}
			for _, line := range lines {
				if n := len([]rune(line)); n >= width && width > 1 {
					t.Errorf("a line of %d in a terminal of %d: %q", n, width, line)
				}
			}
		}
	}
	lines := layOut(sampleRows(), 80, 3, false)
	if lines[0] != "… 4 more" || !strings.HasPrefix(lines[2], "app ") {
		t.Errorf("the table is\n%s", strings.Join(lines, "\n"))
	}
}

func TestLayOutColours(t *testing.T) {
	lines := layOut(sampleRows(), 80, 20, true)
	if !strings.Contains(lines[0], "db           \x1b[32mhealthy\x1b[0m ") || !strings.Contains(lines[4], "\x1b[31mfailed\x1b[0m") {
		t.Errorf("the table is\n%q", lines)
	}
	if lines = layOut(sampleRows(), 12, 20, true); strings.Contains(strings.Join(lines, ""), "\x1b") {
		t.Errorf("a state that is cut off is coloured: %q", lines)
	}
}

func TestScreenDrawsOverWhatItDrew(t *testing.T) {
	var out bytes.Buffer
	width := 60
	s := &screen{out: &out, size: func() (int, int) { return width, 24 }}
	rows := []tableRow{{name: "app", state: lifecycle.Running, detail: strings.Repeat("x", 40)}}
	if !s.stale() {
		t.Error("nothing was drawn, and it isn't stale")
	}
	next := func(draw func()) string {
		out.Reset()
		draw()
		return out.String()
	}
	draw := func() { s.draw("title", rows, false) }
	first := next(draw)
	if strings.Contains(first, "\x1b") || strings.Count(first, "\n") != 2 {
		t.Errorf("the first drawing is %q", first)
	}
	if again := next(draw); !strings.HasPrefix(again, "\r\x1b[2A\x1b[J") {
		t.Errorf("the second drawing is %q", again)
	}
	if s.stale() {
		t.Error("it was drawn, and is stale")
	}
	// A row of 56 columns takes two lines of a terminal of 30.
	width = 30
	if !s.stale() {
		t.Error("the terminal has another width, and it isn't stale")
	}
	if narrow := next(draw); !strings.HasPrefix(narrow, "\r\x1b[3A\x1b[J") {
		t.Errorf("the drawing after the resize is %q", narrow)
	}
	above := next(func() { _, _ = s.above([]byte("a warning\n")) })
	if above != "\r\x1b[2A\x1b[Ja warning\n" {
		t.Errorf("a message above is %q", above)
	}
	if after := next(draw); strings.HasPrefix(after, "\r\x1b") {
		t.Errorf("the drawing after it takes it away: %q", after)
	}
}

func TestTitle(t *testing.T) {
	var got title
	at := func(seconds int) time.Time { return noon.Add(time.Duration(seconds) * time.Second) }
	for _, step := range []struct {
		event lifecycle.EventType
		at    int
		want  string
	}{
		{lifecycle.StackStarting, 0, "starting for 1s; Ctrl-C ends it"},
		{lifecycle.ResourceStarted, 2, "starting for 3s; Ctrl-C ends it"},
		{lifecycle.StackStarted, 4, "started in 4s; Ctrl-C stops it"},
		{lifecycle.StackStopping, 60, "stopping for 1s; Ctrl-C kills at once"},
		{lifecycle.StackStopped, 63, "stopped in 3s"},
	} {
		got.note(lifecycle.Event{Type: step.event, Time: at(step.at)})
		if text := got.text(at(step.at + 1)); text != step.want {
			t.Errorf("after %s: %q, want %q", step.event, text, step.want)
		}
	}
	got.note(lifecycle.Event{Type: lifecycle.StackFailed, Time: at(70)})
	got.note(lifecycle.Event{Type: lifecycle.StackStopping, Time: at(70)})
	got.note(lifecycle.Event{Type: lifecycle.StackStopped, Time: at(71)})
	if text := got.text(at(72)); text != "the start failed, rolled back in 1s" {
		t.Errorf("after a rollback: %q", text)
	}
}
