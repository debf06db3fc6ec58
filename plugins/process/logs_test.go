//go:build unix

package process

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lightshuttle/lightshuttle/sdk"
)

func TestLogsKeepEveryByte(t *testing.T) {
	r := open(t)
	tests := []struct {
		name string
		spec sdk.Spec
		want string
	}{
		{"all bytes, no line break at the end", role("binary", "binary"), string(everyByte())},
		{"nothing", shell("nothing", "true"), ""},
		{"a line without a break", shell("prompt", "printf 'name: '"), "name: "},
		{"empty lines", shell("empty", `printf '\n\n\na\n\n'`), "\n\n\na\n\n"},
		{"a line longer than a piece", shell("long", "head -c 200000 /dev/zero | tr '\\0' x; echo; echo end"), strings.Repeat("x", 200000) + "\nend\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			id := start(t, r, test.spec)
			ended(t, r, id)
			if got := text(logsOf(t, r, id, everything), sdk.Stdout); got != test.want {
				t.Errorf("log has %d bytes, want %d", len(got), len(test.want))
			}
		})
	}
}

func TestLogsRotate(t *testing.T) {
	dir := t.TempDir()
	openIn(t, dir)
	r, err := Open(Options{Dir: dir, Supervisor: superviseCommand, LogBytes: 10_000, LogFiles: 3})
	if err != nil {
		t.Fatal(err)
	}
	id := start(t, r, role("flood", "flood", "5000"))
	ended(t, r, id)
	folder := filepath.Join(r.projectDir("shop"), id)
	numbers := logNumbers(folder)
	if len(numbers) != 3 || numbers[0] == 1 {
		t.Errorf("there are the files %v, want the last 3", numbers)
	}
	for _, number := range numbers {
		info, err := os.Stat(filepath.Join(folder, logName(number)))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %s", info.Name(), info.Mode())
		}
	}
	all := logsOf(t, r, id, everything)
	if len(all) == 0 || len(all) >= 5000 {
		t.Errorf("%d lines are left", len(all))
	}
	for _, tail := range []int{0, 1, 70, len(all), len(all) + 1} {
		if got := logsOf(t, r, id, sdk.LogOptions{Tail: tail}); len(got) != min(tail, len(all)) {
			t.Errorf("a tail of %d has %d lines", tail, len(got))
		}
	}
}

func TestLogsSince(t *testing.T) {
	r := open(t)
	id := start(t, r, shell("web", "echo one; sleep 0.05; echo two"))
	ended(t, r, id)
	all := logsOf(t, r, id, everything)
	if len(all) != 2 {
		t.Fatalf("there are %d lines", len(all))
	}
	if got := text(logsOf(t, r, id, sdk.LogOptions{Tail: -1, Since: all[1].Time}), ""); got != "two\n" {
		t.Errorf("since the second line: %q", got)
	}
}

func TestLogsFollowToTheEnd(t *testing.T) {
	dir := t.TempDir()
	openIn(t, dir)
	r, err := Open(Options{Dir: dir, Supervisor: superviseCommand, LogBytes: 100_000, LogFiles: 1000})
	if err != nil {
		t.Fatal(err)
	}
	id := start(t, r, role("flood", "flood", "20000"))
	if got := len(logsOf(t, r, id, sdk.LogOptions{Tail: -1, Follow: true})); got != 20000 {
		t.Errorf("followed %d lines, want 20000", got)
	}
}

func TestLogsEndWithTheContextAndWithTheSink(t *testing.T) {
	r := open(t)
	id := start(t, r, shell("web", "echo ready; exec sleep 3600"))
	ctx, cancel := context.WithCancel(t.Context())
	err := r.Logs(ctx, id, sdk.LogOptions{Tail: -1, Follow: true}, func(sdk.LogEntry) error { cancel(); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Logs() = %v, want the context's error", err)
	}
	enough := errors.New("enough")
	if err := r.Logs(t.Context(), id, everything, func(sdk.LogEntry) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("Logs() = %v, want the sink's error", err)
	}
}

// Who begins to follow while there is ever more must not miss the first word that
// there is.
func TestManyBeginToFollowWhileMuchIsPrinted(t *testing.T) {
	r := open(t)
	id := start(t, r, shell("busy", "while :; do echo more; done"))
	heard := errors.New("heard")
	for range 300 {
		err := r.Logs(t.Context(), id, sdk.LogOptions{Follow: true, Tail: -1}, func(sdk.LogEntry) error { return heard })
		if !errors.Is(err, heard) {
			t.Fatal(err)
		}
	}
	if err := r.Remove(t.Context(), id); err != nil {
		t.Fatal(err)
	}
}
