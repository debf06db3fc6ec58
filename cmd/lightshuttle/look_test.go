package main

import (
	"bufio"
	"encoding/json"
	"maps"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lightshuttle/lightshuttle/host/lifecycle"
)

// ps --json is documented: these names, and no others.
func TestPsJSON(t *testing.T) {
	s := newStack(t, `
	web:
		container: {image: IMAGE, command: [sleep, "1000"], stop_signal: SIGKILL, ports: ["0:80"], healthcheck: {test: "exit 0", interval: 300ms}}
	job:
		container: {image: IMAGE, command: "exit 0"}
	last:
		container: {image: IMAGE, command: [sleep, "1000"], stop_signal: SIGKILL, depends_on: {job: {condition: completed}}}
`)
	s.run("ps", "--json").exited(0).prints("[]")
	p := s.up()
	p.await(lifecycle.StackStarted, "")
	var rows []map[string]any
	if err := json.Unmarshal([]byte(s.run("ps", "--json").exited(0).stdout), &rows); err != nil {
		t.Fatal(err)
	}
	if len(rows) != 3 {
		t.Fatalf("%d rows, want 3", len(rows))
	}
	want := sorted("resource", "kind", "runtime", "state", "health", "ready", "id", "name", "image", "ports", "exit_code", "started_at", "restarts", "last_error")
	for _, row := range rows {
		if got := slices.Sorted(maps.Keys(row)); !slices.Equal(got, want) {
			t.Errorf("the names are %v, want %v", got, want)
		}
	}
	job, web := rows[0], rows[2]
	if job["resource"] != "job" || job["state"] != "exited" || job["exit_code"] != 0.0 || job["ready"] != true {
		t.Errorf("job: %v", job)
	}
	if web["resource"] != "web" || web["kind"] != "container" || web["runtime"] != "docker" || web["state"] != "running" ||
		web["exit_code"] != nil || web["ready"] != true || web["name"] != s.project+".web" || web["image"] != image || web["started_at"] == nil {
		t.Errorf("web: %v", web)
	}
	port := web["ports"].([]any)[0].(map[string]any)
	if got := slices.Sorted(maps.Keys(port)); !slices.Equal(got, sorted("host_ip", "host_port", "container_port", "protocol")) {
		t.Errorf("a port has the names %v", got)
	}
	if port["host_ip"] != "127.0.0.1" || port["container_port"] != 80.0 || port["protocol"] != "tcp" || port["host_port"] == 0.0 {
		t.Errorf("port: %v", port)
	}
	r := s.run("ps").exited(0)
	if !regexp.MustCompile(`(?m)^web +\S+ +\d+s +127\.0\.0\.1:\d+->80 +busybox:1\.36 +docker$`).MatchString(r.stdout) {
		t.Errorf("ps:\n%s", r.stdout)
	}
	p.stop().exited(0)
}

func TestLogs(t *testing.T) {
	s := newStack(t, `
	one:
		container: {image: IMAGE, command: "echo a1; echo a2; echo a3 >&2; exec sleep 1000", stop_signal: SIGKILL, healthcheck: {log: {pattern: a3}}}
	second:
		container: {image: IMAGE, command: "echo b1; exec sleep 1000", stop_signal: SIGKILL, depends_on: [one], healthcheck: {log: {pattern: b1}}}
`)
	p := s.up()
	p.await(lifecycle.StackStarted, "")

	// One resource: its lines as they are, each to the stream it came from.
	r := s.run("logs", "one").exited(0)
	if r.stdout != "a1\na2\n" || r.stderr != "a3\n" {
		t.Errorf("stdout %q, stderr %q", r.stdout, r.stderr)
	}
	// Several: prefixed, in the order of time, without colours.
	r = s.run("logs").exited(0)
	if want := "one    | a1\none    | a2\nsecond | b1\n"; r.stdout != want {
		t.Errorf("stdout %q, want %q", r.stdout, want)
	}
	if want := "one    | a3\n"; r.stderr != want {
		t.Errorf("stderr %q, want %q", r.stderr, want)
	}
	r = s.run("logs", "--tail", "1", "second").exited(0)
	if r.stdout != "b1\n" {
		t.Errorf("stdout %q", r.stdout)
	}
	r = s.run("logs", "--tail", "2", "one").exited(0)
	if lines := strings.Count(r.stdout+r.stderr, "\n"); lines != 2 {
		t.Errorf("--tail 2 shows %d lines", lines)
	}
	r = s.run("logs", "-t", "second").exited(0)
	if !regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z b1\n$`).MatchString(r.stdout) {
		t.Errorf("stdout %q", r.stdout)
	}
	s.run("logs", "--since", "2020-01-01T00:00:00Z", "second").exited(0).prints("b1")
	if r := s.run("logs", "--since", "2100-01-01T00:00:00Z", "second").exited(0); r.stdout != "" {
		t.Errorf("stdout %q", r.stdout)
	}
	s.run("logs", "nobody").exited(4).says("nobody")
	s.runIn(t.TempDir(), "logs", "-p", s.project, "second").exited(0).prints("b1")
	p.stop().exited(0)
}

// --follow goes on until a signal, which is the normal way to end it.
func TestLogsFollow(t *testing.T) {
	s := newStack(t, `
	app:
		container: {image: IMAGE, command: "echo first; while ! test -f /shared/go; do usleep 20000; done; echo second; exec sleep 1000", stop_signal: SIGKILL, volumes: ["./shared:/shared"]}
`)
	s.file("shared/x", "")
	p := s.up()
	p.await(lifecycle.StackStarted, "")
	logs := exec.Command("lightshuttle", "logs", "-F", "app")
	logs.Dir = s.dir
	stdout, err := logs.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := logs.Start(); err != nil {
		t.Fatal(err)
	}
	stuck := time.AfterFunc(patience, func() { _ = logs.Process.Kill() })
	defer stuck.Stop()
	lines := bufio.NewScanner(stdout)
	for _, want := range []string{"first", "second"} {
		if !lines.Scan() || lines.Text() != want {
			t.Fatalf("it printed %q, want %q", lines.Text(), want)
		}
		s.file("shared/go", "")
	}
	if err := logs.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := logs.Wait(); err != nil {
		t.Errorf("it ended with %v, want 0", err)
	}
	p.stop().exited(0)
}

func sorted(names ...string) []string {
	slices.Sort(names)
	return names
}
