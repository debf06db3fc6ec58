package main

import (
	"context"
	"os"
	"strings"
	"testing"
)

func shellHarness(t *testing.T) *harness { return &harness{dir: t.TempDir()} }

// untilInterrupted is a program that stays in the foreground.
const untilInterrupted = `trap 'kill $!; exit 0' INT; tail -f /dev/null & echo "it is ready now"; wait`

func TestForeground(t *testing.T) {
	running, up, err := shellHarness(t).begin(t.Context(), "ready", "sh", "-c", untilInterrupted)
	if err != nil {
		t.Fatal(err)
	}
	memory, err := livingPeak(running.command.Process.Pid)
	if err != nil || memory <= 0 || up <= 0 {
		t.Errorf("up %v, memory %d, %v", up, memory, err)
	}
	own, err := livingPeak(os.Getpid())
	if err != nil || memory >= own {
		t.Errorf("a shell takes %d bytes, and this test only %d; %v", memory, own, err)
	}
	if down, err := running.end(); err != nil || down <= 0 {
		t.Errorf("down %v, %v", down, err)
	}
}

func TestForegroundThatEndsTooSoon(t *testing.T) {
	for _, script := range []string{"echo why >&2; exit 3", "echo why >&2"} {
		_, _, err := shellHarness(t).begin(t.Context(), "ready", "sh", "-c", script)
		if err == nil || !strings.Contains(err.Error(), "why") {
			t.Errorf("%s: error %v, want what it said", script, err)
		}
	}
}

// The end of the context interrupts, and what the program does then is waited
// for.
func TestForegroundIsInterruptedWithTheRun(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	running, _, err := shellHarness(t).begin(ctx, "ready", "sh", "-c", untilInterrupted)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	<-running.ended
	_, _ = running.end()
}

func TestOnceSaysWhatTheProgramSaid(t *testing.T) {
	if _, _, err := shellHarness(t).once(t.Context(), "sh", "-c", "echo why; exit 3"); err == nil || !strings.Contains(err.Error(), "why") {
		t.Errorf("error %v, want what it said", err)
	}
	if took, _, err := shellHarness(t).once(t.Context(), "true"); err != nil || took <= 0 {
		t.Errorf("took %v, %v", took, err)
	}
}

// What a wait says of a small program is the harness's own memory: it must not
// be taken for the program's.
func TestMemoryBelowTheHarness(t *testing.T) {
	_, command, err := shellHarness(t).once(t.Context(), "true")
	if err != nil {
		t.Fatal(err)
	}
	if peak, err := endedPeak(command); err == nil {
		t.Errorf("peak of true = %d bytes", peak)
	}
}

func TestHighWater(t *testing.T) {
	got, err := highWater(strings.NewReader("Name:\tx\nVmPeak:\t 9 kB\nVmHWM:\t   20 kB\n"))
	if err != nil || got != 20*1024 {
		t.Errorf("%d, %v", got, err)
	}
	if _, err := highWater(strings.NewReader("Name:\tx\n")); err == nil {
		t.Error("no error without VmHWM")
	}
}

func TestLastLines(t *testing.T) {
	if got := lastLines("1\n2\n3\n4\n5\n6\n7\n"); got != "3\n4\n5\n6\n7" {
		t.Errorf("%q", got)
	}
	if got := lastLines("why\n"); got != "why" {
		t.Errorf("%q", got)
	}
}
