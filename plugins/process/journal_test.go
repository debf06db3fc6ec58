//go:build unix

package process

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lightshuttle/lightshuttle/sdk"
)

func begun(name string) note {
	spec := shell(name, "true")
	return note{ID: "shop." + name + ".0000000000000000", Spec: &spec, Status: &status{State: sdk.StatusCreated}}
}

func write(t *testing.T, j *journal, notes ...note) {
	t.Helper()
	for _, news := range notes {
		if err := j.write(news); err != nil {
			t.Fatal(err)
		}
	}
}

func openedJournal(t *testing.T, dir string) *journal {
	t.Helper()
	j, err := openJournal(dir)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// A supervisor may be killed at any byte of what it writes.
func TestL17AJournalThatWasCutOffTellsAllThatWasWritten(t *testing.T) {
	dir := t.TempDir()
	first, second := begun("first"), begun("second")
	write(t, openedJournal(t, dir), first)
	before, err := os.ReadFile(filepath.Join(dir, journalFile))
	if err != nil {
		t.Fatal(err)
	}
	write(t, openedJournal(t, dir), second)
	whole, err := os.ReadFile(filepath.Join(dir, journalFile))
	if err != nil {
		t.Fatal(err)
	}
	for end := range whole {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, journalFile), whole[:end], 0o600); err != nil {
			t.Fatal(err)
		}
		want := 0
		if end >= len(before) {
			want = 1
		}
		if ids := idsIn(dir); len(ids) != want {
			t.Fatalf("after %d of %d bytes it has %v", end, len(whole), ids)
		}
		write(t, openedJournal(t, dir), begun("third"))
		if ids := idsIn(dir); len(ids) != want+1 {
			t.Fatalf("after %d of %d bytes, with one more it has %v", end, len(whole), ids)
		}
	}
}

func TestAJournalIsRefusedThatCannotBeRead(t *testing.T) {
	for _, test := range []struct{ name, content, want string }{
		{"of a newer version", fmt.Sprintf("{\"journal\":%d}\n", journalVersion+1), "newer version"},
		{"another file", "hello\n", "damaged"},
		{"no version", "{}\n", "damaged"},
		{"a damaged line", "{\"journal\":1}\n{\"id\":\n", "line 2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, journalFile)
			if err := os.WriteFile(path, []byte(test.content), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := openJournal(dir)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("openJournal() = %v, want %q", err, test.want)
			}
			if data, err := os.ReadFile(path); err != nil || string(data) != test.content {
				t.Errorf("it was changed: %q, %v", data, err)
			}
		})
	}
}

// Whatever is written, who reads the file knows what the supervisor knows, and
// the file doesn't grow for ever.
func TestAJournalTellsWhatItsSupervisorKnows(t *testing.T) {
	base, runs := t.TempDir(), 0
	rapid.Check(t, func(t *rapid.T) {
		runs++
		dir := filepath.Join(base, strconv.Itoa(runs))
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		j, err := openJournal(dir)
		if err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(0, 30).Draw(t, "notes") {
			news := begun(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "name"))
			_, there := j.get(news.ID)
			switch what := rapid.IntRange(0, 3).Draw(t, "what"); {
			case there && what == 0:
				news = note{ID: news.ID, Gone: true}
			case there:
				news = note{ID: news.ID, Status: &status{State: sdk.StatusExited, Error: rapid.String().Draw(t, "error"), FinishedAt: time.Unix(1, 0).UTC()}}
			}
			if err := j.write(news); err != nil {
				t.Fatal(err)
			}
			if rapid.Bool().Draw(t, "rewrite") {
				if err := j.rewrite(); err != nil {
					t.Fatal(err)
				}
			}
		}
		read, size, err := readJournal(dir)
		if err != nil || !reflect.DeepEqual(read, j.all()) || size != j.size {
			t.Fatalf("read %v (%d bytes), %v; want %v (%d bytes)", read, size, err, j.all(), j.size)
		}
	})
}

func TestAJournalForgetsThePast(t *testing.T) {
	dir := t.TempDir()
	j := openedJournal(t, dir)
	one := begun("one")
	one.Spec.Env = map[string]string{"LONG": strings.Repeat("x", 100_000)}
	for range 30 {
		write(t, j, one, note{ID: one.ID, Gone: true})
	}
	write(t, j, begun("kept"))
	info, err := os.Stat(filepath.Join(dir, journalFile))
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > journalSlack+200_000 || info.Mode().Perm() != 0o600 {
		t.Errorf("it has %d bytes and mode %s", info.Size(), info.Mode())
	}
	if ids := idsIn(dir); len(ids) != 1 {
		t.Errorf("it has %v", ids)
	}
}
