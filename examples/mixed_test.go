package examples

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/lightshuttle/lightshuttle/host/lifecycle"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// A process and containers use each other, on every engine, and do so again when
// one of them was killed. In the end nothing is left.
func TestProcessAndContainersUseEachOther(t *testing.T) {
	docker := engineOf(t)
	for _, engine := range engines {
		t.Run(engine.name, func(t *testing.T) {
			for _, variable := range engine.env {
				name, value, _ := strings.Cut(variable, "=")
				t.Setenv(name, value)
			}
			client := clientOf(engine.env)
			path, project := copyOf(t, "mixed")
			t.Cleanup(func() { cleanUp(t, docker, path, project) })
			up := start(t, path)
			up.waitUntilStarted(t)
			wantStates(t, project, map[string]string{"build": "exited", "counter": "running", "store": "running", "visitor": "running"})
			visits := nextVisit(t, path, 0)

			killProcess(t, idIn(t, project, "counter"))
			up.waitUntilReadyAgain(t, "counter")
			visits = nextVisit(t, path, visits)

			mustRun(t, client, "kill", project+".visitor")
			up.waitUntilReadyAgain(t, "visitor")
			visits = nextVisit(t, path, visits)

			restarted := make(chan error, 1)
			go func() { restarted <- exec.CommandContext(t.Context(), program, "restart", "store", "-f", path).Run() }()
			up.waitUntilReadyAgain(t, "store")
			if err := <-restarted; err != nil {
				t.Errorf("restart of the store: %v", err)
			}
			nextVisit(t, path, visits)

			up.stop(t)
			run(t, "down", "--volumes", "-f", path)
			if left := leftOn(t, client, project); len(left) > 0 {
				t.Errorf("there is still %v", left)
			}
		})
	}
}

// clientOf is the command line of an engine.
func clientOf(env []string) string {
	for _, variable := range env {
		if name, path, _ := strings.Cut(variable, "="); strings.HasSuffix(name, "_PATH") {
			return path
		}
	}
	if env[0] == "LIGHTSHUTTLE_RUNTIME=podman" {
		return clientOf(engines[2].env)
	}
	return "docker"
}

func mustRun(t *testing.T, name string, args ...string) string {
	t.Helper()
	output, err := exec.CommandContext(t.Context(), name, args...).Output()
	if err != nil {
		t.Fatalf("%s %s: %v", name, strings.Join(args, " "), err)
	}
	return string(output)
}

// leftOn names all that there is of a project.
func leftOn(t *testing.T, client, project string) []string {
	t.Helper()
	left := processesOf(t, project)
	for _, container := range strings.Fields(mustRun(t, client, "ps", "--all", "--quiet", "--filter", "label="+sdk.LabelProject+"="+project)) {
		left = append(left, "container "+container)
	}
	for _, kind := range []string{"network", "volume"} {
		for _, name := range strings.Fields(mustRun(t, client, kind, "ls", "--format", "{{.Name}}")) {
			if strings.Contains(name, project) {
				left = append(left, kind+" "+name)
			}
		}
	}
	return left
}

func idIn(t *testing.T, project, resource string) string {
	t.Helper()
	for _, row := range rowsOf(t, project) {
		if row.Resource == resource {
			return row.ID
		}
	}
	t.Fatalf("ps doesn't show %s", resource)
	return ""
}

// wantStates compares what ps shows. An engine that checks health by itself says
// "starting" for up to an interval.
func wantStates(t *testing.T, project string, want map[string]string) {
	t.Helper()
	got := map[string]string{}
	for _, row := range rowsOf(t, project) {
		got[row.Resource] = row.State
		if row.State == "healthy" || row.State == "starting" {
			got[row.Resource] = "running"
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("ps shows %v, want %v", got, want)
	}
}

// killProcess kills what runs as the process of that id.
func killProcess(t *testing.T, id string) {
	t.Helper()
	environments, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	killed := 0
	for _, path := range environments {
		data, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(data, []byte("LIGHTSHUTTLE_PROCESS="+id+"\x00")) {
			continue // it has ended, or is another's
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		killed++
	}
	if killed == 0 {
		t.Fatalf("there is no process %s", id)
	}
}

// waitUntilReadyAgain reads events until a resource has begun anew and is ready.
func (u *up) waitUntilReadyAgain(t *testing.T, resource string) {
	t.Helper()
	var seen []string
	again := false
	for u.events.Scan() {
		var event lifecycle.Event
		if err := json.Unmarshal(u.events.Bytes(), &event); err != nil {
			t.Errorf("not an event: %s", u.events.Bytes())
		}
		seen = append(seen, strings.TrimSpace(string(event.Type)+" "+event.Resource+" "+event.Error))
		if event.Resource != resource {
			continue
		}
		again = again || event.Type == lifecycle.ResourceRestarting
		if again && event.Type == lifecycle.ResourceHealthy {
			return
		}
	}
	t.Fatalf("%s didn't come back:\n%s\n%s", resource, strings.Join(seen, "\n"), u.stderr.String())
}

// nextVisit waits until the visitor was counted as one after the last, and
// returns its number: it has come from a container to the process, from there to
// another container, and back.
func nextVisit(t *testing.T, path string, last int) int {
	t.Helper()
	logs := exec.CommandContext(t.Context(), program, "logs", "--follow", "-f", path, "visitor")
	output, err := logs.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := logs.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = logs.Process.Kill()
		_ = logs.Wait() // it was killed
	}()
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		_, digits, _ := strings.Cut(lines.Text(), "visit ")
		if visit, err := strconv.Atoi(digits); err == nil && visit > last {
			return visit
		}
	}
	t.Fatalf("the visitor's output ended before visit %d", last+1)
	return 0
}
