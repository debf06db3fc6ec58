package main

import (
	"bufio"
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lightshuttle/lightshuttle/control"
	"github.com/lightshuttle/lightshuttle/host/lifecycle"
)

// A resource that can be seen to be stopped and started: db has a policy, app
// depends on it.
const operated = `
	db:
		container: {image: IMAGE, command: "echo up; exec sleep 1000", stop_signal: SIGKILL, restart: always}
	app:
		container: {image: IMAGE, command: [sleep, "1000"], stop_signal: SIGKILL, depends_on: [db], healthcheck: {test: "exit 0"}}
`

// rows are what ps --json prints, by resource.
func (s *testStack) rows() map[string]row {
	s.t.Helper()
	var all []row
	if err := json.Unmarshal([]byte(s.run("ps", "--json").exited(0).stdout), &all); err != nil {
		s.t.Fatal(err)
	}
	rows := map[string]row{}
	for _, r := range all {
		rows[r.Resource] = r
	}
	return rows
}

func TestOperationsThroughALivingUp(t *testing.T) {
	s := newStack(t, operated)
	p := s.up()
	p.await(lifecycle.StackStarted, "")
	db, app := s.container("db").ID, s.container("app").ID

	s.run("restart", "db").exited(0).says("db: restarted")
	if again := s.container("db").ID; again == db {
		t.Error("db was not restarted")
	}
	if s.container("app").ID != app {
		t.Error("app was restarted with it")
	}
	if row := s.rows()["app"]; row.Health != "healthy" || !row.Ready {
		t.Errorf("ps doesn't say what up knows of app: %+v", row)
	}

	// Stopped is stopped, whatever the policy, and its log is kept.
	s.run("stop", "db", "app").exited(0).says("db: stopped", "app: stopped")
	if row := s.rows()["db"]; row.State != "stopped" || row.Ready {
		t.Errorf("ps says of db: %+v", row)
	}
	s.run("logs", "db").exited(0).prints("up")
	// What it needs is started first.
	s.run("start", "app").exited(0).says("app: started")
	if row := s.rows()["db"]; row.State != "running" || !row.Ready {
		t.Errorf("ps says of db: %+v", row)
	}

	s.run("restart", "-d", "db").exited(0).says("db: restarting")
	p.await(lifecycle.ResourceRestarting, "db")
	p.await(lifecycle.ResourceReady, "db")
	s.run("restart", "nobody").exited(2).says("there is no resource nobody")
	s.runIn(t.TempDir(), "restart", "-p", s.project, "nobody").exited(4).says("nobody")
	s.runIn(t.TempDir(), "restart", "-p", s.project, "app").exited(0)
	s.run("restart").exited(2)
	p.stop().exited(0)
}

func TestOperationsOnADetachedStack(t *testing.T) {
	s := newStack(t, operated)
	s.run("up", "-d").exited(0)
	db, app := s.container("db").ID, s.container("app").ID

	s.run("restart", "db").exited(0)
	if s.container("db").ID == db || s.container("app").ID != app {
		t.Error("not db alone was restarted")
	}
	if got := s.container("db").HostConfig.RestartPolicy.Name; got != "unless-stopped" {
		t.Errorf("the engine's policy for db is %q now", got)
	}
	s.run("stop", "app", "db").exited(0).says("app: stopped", "db: stopped")
	if rows := s.rows(); rows["db"].State != "stopped" || rows["app"].State != "stopped" {
		t.Errorf("ps says %+v", rows)
	}
	s.run("logs", "db").exited(0).prints("up")
	s.run("stop", "db").exited(0)

	s.run("start", "app").exited(0)
	if !s.container("db").State.Running || !s.container("app").State.Running {
		t.Error("app and what it needs don't run")
	}
	if got := s.container("db").HostConfig.RestartPolicy.Name; got != "unless-stopped" {
		t.Errorf("the engine's policy for db is %q now", got)
	}
	db = s.container("db").ID
	s.run("start", "db", "app").exited(0)
	if s.container("db").ID != db {
		t.Error("what runs was not left alone")
	}
	s.runIn(t.TempDir(), "restart", "-p", s.project, "db").exited(2).says("needs the manifest")
	s.runIn(t.TempDir(), "stop", "-p", s.project, "db").exited(0)
	s.run("stop", "nobody").exited(2)
	s.run("down").exited(0)
	s.run("stop", "db").exited(4).says("db")
}

// A restart that fails leaves what there is to see, and the others alone.
func TestARestartThatFails(t *testing.T) {
	s := newStack(t, `
	db:
		container: {image: IMAGE, command: [sleep, "1000"], stop_signal: SIGKILL}
	app:
		container: {image: IMAGE, command: "test ! -f /shared/broken || { echo broken; exit 5; }; exec sleep 1000", stop_signal: SIGKILL, volumes: ["./shared:/shared"], stable_for: 300ms, depends_on: [db]}
`)
	s.file("shared/x", "")
	s.run("up", "-d").exited(0)
	s.file("shared/broken", "")
	s.run("restart", "app").exited(4).says("app: exited with code 5")
	s.run("logs", "app").exited(0).prints("broken")
	if !s.container("db").State.Running {
		t.Error("db doesn't run any more")
	}
	s.run("down").exited(0)
}

func TestEvents(t *testing.T) {
	s := newStack(t, operated)
	s.run("events").exited(0).says("no `up` watches over project " + s.project)
	p := s.up()
	p.await(lifecycle.StackStarted, "")
	lines := strings.Split(strings.TrimSpace(s.run("events").exited(0).stdout), "\n")
	if !strings.Contains(lines[0], "1  ") || !strings.Contains(lines[0], "stack starting") || !strings.Contains(lines[len(lines)-1], "stack started") {
		t.Errorf("events:\n%s", strings.Join(lines, "\n"))
	}
	if rest := s.run("events", "--since", "3").exited(0).stdout; strings.Count(rest, "\n") != len(lines)-3 {
		t.Errorf("after the third event of %d there are:\n%s", len(lines), rest)
	}
	again := s.run("events", "--since", "100000", "--json").exited(0).stdout
	var first lifecycle.Event
	if err := json.Unmarshal([]byte(again[:strings.Index(again, "\n")]), &first); err != nil || first.Type != control.EventsRestarted {
		t.Errorf("the first of another run is %+v, %v", first, err)
	}

	follow := s.follow("events", "--follow", "--json", "--since", "3")
	s.run("restart", "db").exited(0)
	p.stop().exited(0)
	var seen []lifecycle.Event
	for _, line := range follow.toTheEnd() {
		var event lifecycle.Event
		if err := json.Unmarshal([]byte(line), &event); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		seen = append(seen, event)
	}
	for i, event := range seen {
		if event.Seq != uint64(i+4) {
			t.Errorf("event %d has the number %d", i+4, event.Seq)
		}
	}
	if len(seen) == 0 || seen[len(seen)-1].Type != lifecycle.StackStopped {
		t.Errorf("it ended with %v", seen)
	}
}

// Without an `up` the engine's own events are shown, until Ctrl-C.
func TestEventsOfTheEngine(t *testing.T) {
	s := newStack(t, twoThatRun)
	s.run("up", "-d").exited(0)
	follow := s.follow("events", "-F", "--json")
	// It has to have subscribed; only its own events can tell.
	eventually(t, "it hears of restarts", func() bool {
		s.run("restart", "db").exited(0)
		return len(follow.lines) > 0
	})
	if err := follow.command.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	lines := follow.toTheEnd()
	kinds := map[lifecycle.EventType]bool{}
	for _, line := range lines {
		var event lifecycle.Event
		if err := json.Unmarshal([]byte(line), &event); err != nil || event.Seq != 0 || event.Resource == "" || event.Time.IsZero() {
			t.Errorf("%s: %v", line, err)
		}
		kinds[event.Type] = true
	}
	if len(kinds) == 0 {
		t.Errorf("it printed %v", lines)
	}
	s.run("down").exited(0)
}

// follower is a program that prints lines until it is told to end.
type follower struct {
	t       *testing.T
	command *exec.Cmd
	lines   chan string
}

func (s *testStack) follow(args ...string) *follower {
	s.t.Helper()
	f := &follower{t: s.t, command: exec.Command("lightshuttle", args...), lines: make(chan string, 1000)}
	f.command.Dir = s.dir
	stdout, err := f.command.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := f.command.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() {
		defer close(f.lines)
		for scanner := bufio.NewScanner(stdout); scanner.Scan(); {
			f.lines <- scanner.Text()
		}
	}()
	return f
}

// toTheEnd waits for the end of the program, which must be a success.
func (f *follower) toTheEnd() []string {
	f.t.Helper()
	stuck := time.AfterFunc(patience, func() { _ = f.command.Process.Kill() })
	defer stuck.Stop()
	lines := slices.Collect(func(yield func(string) bool) {
		for line := range f.lines {
			if !yield(line) {
				return
			}
		}
	})
	if err := f.command.Wait(); err != nil {
		f.t.Errorf("it ended with %v", err)
	}
	return lines
}
