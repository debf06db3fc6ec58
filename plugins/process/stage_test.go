//go:build unix

package process

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

func open(t *testing.T) *Runtime {
	t.Helper()
	return openIn(t, t.TempDir())
}

// openIn opens the runtime on a folder; when the test ends, everything has to be
// gone from it.
func openIn(t *testing.T, dir string) *Runtime {
	t.Helper()
	r, err := Open(Options{Dir: dir, Supervisor: superviseCommand})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		projects, _ := os.ReadDir(dir)
		for _, project := range projects {
			for _, id := range idsIn(filepath.Join(dir, project.Name())) {
				if err := r.Remove(ctx, id); err != nil {
					t.Errorf("Remove(%s) = %v", id, err)
				}
			}
			waitFor(t, "the supervisor to leave", func() bool {
				_, err := os.Stat(filepath.Join(dir, project.Name()))
				return errors.Is(err, fs.ErrNotExist)
			})
		}
	})
	return r
}

// leaderOf is the process itself, as the journal has it.
func leaderOf(t *testing.T, r *Runtime, id string) identity {
	t.Helper()
	records, _, err := readJournal(r.projectDir(projectOf(id)))
	if err != nil {
		t.Fatal(err)
	}
	return records[id].Status.Leader
}

// waitFor looks until something holds, which no event tells of.
func waitFor(t *testing.T, what string, holds func() bool) {
	t.Helper()
	timeout := time.After(patience)
	for !holds() {
		select {
		case <-timeout:
			t.Fatalf("waited in vain for %s", what)
		case <-time.After(time.Millisecond):
		}
	}
}

func shell(name, script string) sdk.Spec {
	return sdk.Spec{
		Project: "shop", Resource: name, Name: "shop." + name, Kind: "process", Command: []string{"sh", "-c", script},
		Labels: map[string]string{sdk.LabelProject: "shop", sdk.LabelResource: name},
	}
}

func role(name, role string, args ...string) sdk.Spec {
	spec := shell(name, "")
	spec.Command = append([]string{os.Args[0]}, args...)
	spec.Env = map[string]string{"TEST_ROLE": role}
	return spec
}

func start(t *testing.T, r *Runtime, spec sdk.Spec) string {
	t.Helper()
	id, err := r.Start(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func inspect(t *testing.T, r *Runtime, id string) sdk.State {
	t.Helper()
	state, err := r.Inspect(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return state
}

// ended waits for the end of a process.
func ended(t *testing.T, r *Runtime, id string) sdk.State {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := r.waitEnd(ctx, id); err != nil {
		t.Fatal(err)
	}
	return inspect(t, r, id)
}

func logsOf(t *testing.T, r *Runtime, id string, options sdk.LogOptions) (entries []sdk.LogEntry) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := r.Logs(ctx, id, options, func(entry sdk.LogEntry) error {
		entry.Data = bytes.Clone(entry.Data)
		entries = append(entries, entry)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return entries
}

func text(entries []sdk.LogEntry, stream sdk.Stream) string {
	var all []byte
	for _, entry := range entries {
		if stream == "" || entry.Stream == stream {
			all = append(all, entry.Data...)
		}
	}
	return string(all)
}

// ready waits until the process has said so.
func ready(t *testing.T, r *Runtime, id string) {
	t.Helper()
	waitFor(t, "the word of the process", func() bool {
		return strings.Contains(text(logsOf(t, r, id, everything), ""), "ready")
	})
}
