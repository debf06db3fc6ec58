package examples

import (
	"context"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// A stack of processes needs no engine, and is found again when the program was
// killed.
func TestL17ProcessesNeedNoEngine(t *testing.T) {
	t.Setenv("DOCKER_HOST", "unix://"+filepath.Join(t.TempDir(), "none.sock"))
	path, project := copyOf(t, "processes")
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if output, err := exec.CommandContext(ctx, program, "down", "-f", path).CombinedOutput(); err != nil {
			t.Errorf("down: %v\n%s", err, output)
		}
	})
	up := start(t, path)
	up.waitUntilStarted(t)
	before := processesOf(t, project)
	if len(before) != 3 {
		t.Errorf("there are the processes %v, want 3", before)
	}
	if err := up.command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = up.command.Wait() // it was killed
	if states := statesOf(t, project); states["web"] != "running" || states["visitor"] != "running" || states["build"] != "exited" {
		t.Errorf("after the kill, ps shows %v", states)
	}
	run(t, "up", "-d", "-f", path)
	if after := processesOf(t, project); !slices.Equal(before, after) {
		t.Errorf("up made of %v these: %v", before, after)
	}
	run(t, "down", "-p", project)
	if left := processesOf(t, project); len(left) > 0 {
		t.Errorf("after down there is %v", left)
	}
}

// statesOf are the states of a project's resources, all of them processes.
func statesOf(t *testing.T, project string) map[string]string {
	t.Helper()
	states := map[string]string{}
	for _, row := range rowsOf(t, project) {
		states[row.Resource] = row.State
		if row.Runtime != "process" {
			t.Errorf("ps shows %s on the runtime %s", row.Resource, row.Runtime)
		}
	}
	return states
}

type psRow struct{ Resource, State, Runtime, ID string }

// rowsOf are the rows that ps shows of a project, from anywhere.
func rowsOf(t *testing.T, project string, flags ...string) []psRow {
	t.Helper()
	command := exec.CommandContext(t.Context(), program, append([]string{"ps", "--json", "-p", project}, flags...)...)
	command.Dir = t.TempDir()
	var stderr strings.Builder
	command.Stderr = &stderr
	output, err := command.Output()
	if err != nil {
		t.Fatalf("ps: %v\n%s", err, stderr.String())
	}
	var rows []psRow
	if err := json.Unmarshal(output, &rows); err != nil {
		t.Fatal(err)
	}
	return rows
}
