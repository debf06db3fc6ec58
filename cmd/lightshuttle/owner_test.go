package main

import (
	"bytes"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lightshuttle/lightshuttle/host/lifecycle"
	"github.com/lightshuttle/lightshuttle/host/plan"
	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/fake"
)

const twoThatRun = `
	db:
		container: {image: IMAGE, command: [sleep, "1000"], stop_signal: SIGKILL}
	app:
		container: {image: IMAGE, command: [sleep, "1000"], stop_signal: SIGKILL, depends_on: [db]}
`

func TestL15ASecondUpIsRefusedAndHarmsNothing(t *testing.T) {
	s := newStack(t, twoThatRun)
	p := s.up()
	p.await(lifecycle.StackStarted, "")
	db := s.container("db").ID
	pid := strconv.Itoa(p.command.Process.Pid)
	for _, args := range [][]string{{"up"}, {"up", "-d"}, {"up", "--force-recreate", "app"}} {
		s.run(args...).exited(6).says("project "+s.project, "`up`", "pid "+pid, "since ", s.dir+"/lightshuttle.yml", "hint: `lightshuttle down -p "+s.project+"`")
	}
	// Readers aren't held up.
	s.run("ps").exited(0).prints("db", "app", "running")
	s.run("logs", "db").exited(0)
	s.run("plan").exited(0).prints("keep")
	s.run("up", "--dry-run").exited(0).prints("keep")
	if got := s.resources(); got != "app db" || s.container("db").ID != db {
		t.Errorf("there are containers of %q", got)
	}
	p.stop().exited(0)
	// The project is free again.
	s.run("up", "-d").exited(0)
	s.run("down").exited(0)
}

func TestL15DownStopsALivingUp(t *testing.T) {
	s := newStack(t, twoThatRun)
	p := s.up()
	p.await(lifecycle.StackStarted, "")
	r := s.runIn(t.TempDir(), "down", "-p", s.project).exited(0).says("asked the `up` with pid "+strconv.Itoa(p.command.Process.Pid), "app: stopped", "db: stopped")
	if strings.Contains(r.stderr, "no containers") {
		t.Errorf("it says that there was nothing:\n%s", r.stderr)
	}
	if left := s.left(); len(left) > 0 {
		t.Errorf("there is left: %v", left)
	}
	p.end().exited(0).says("another process asks for the end")
}

func TestL15DownStopsAnUpThatIsStillBooting(t *testing.T) {
	s := newStack(t, neverReady)
	p := s.up()
	p.await(lifecycle.ResourceStarted, "db")
	s.run("down").exited(0)
	if left := s.left(); len(left) > 0 {
		t.Errorf("there is left: %v", left)
	}
	p.end().exited(143)
}

func TestDownGraceReachesALivingUp(t *testing.T) {
	s := newStack(t, `
	app:
		container: {image: IMAGE, command: `+ignoresTerm+`, stop_grace: 10m}
`)
	p := s.up()
	p.await(lifecycle.StackStarted, "")
	s.run("down", "--grace", "100ms").exited(0)
	p.end().exited(0)
}

// Ctrl-C on the `down` kills what the `up` waits for.
func TestDownKillsThroughALivingUp(t *testing.T) {
	s := newStack(t, `
	app:
		container: {image: IMAGE, command: `+ignoresTerm+`, stop_grace: 10m}
`)
	p := s.up()
	p.await(lifecycle.StackStarted, "")
	down := exec.Command("lightshuttle", "down")
	down.Dir = s.dir
	if err := down.Start(); err != nil {
		t.Fatal(err)
	}
	p.await(lifecycle.ResourceStopping, "app")
	if err := down.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	p.end().exited(0)
	if err := down.Wait(); err != nil {
		t.Errorf("down ended with %v", err)
	}
}

func TestADownDuringAnotherWaitsForIt(t *testing.T) {
	s := newStack(t, `
	app:
		container: {image: IMAGE, command: `+ignoresTerm+`, stop_grace: 3s}
`)
	s.run("up", "-d").exited(0)
	first := exec.Command("lightshuttle", "down")
	first.Dir = s.dir
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	lock := os.Getenv("XDG_RUNTIME_DIR") + "/lightshuttle/" + s.project + ".json"
	eventually(t, "the first one owns the project", func() bool {
		_, err := os.Stat(lock)
		return err == nil
	})
	s.run("down").exited(0).says("waiting for `down` (pid " + strconv.Itoa(first.Process.Pid))
	if left := s.left(); len(left) > 0 {
		t.Errorf("there is left: %v", left)
	}
	if err := first.Wait(); err != nil {
		t.Errorf("the first one ended with %v", err)
	}
}

// L17: whenever it is killed, the next ones find the truth. The lock and the
// socket are of no process then.
func TestL17NothingIsHeldAfterAKill(t *testing.T) {
	for _, at := range []struct {
		event    lifecycle.EventType
		resource string
	}{{lifecycle.StackStarting, ""}, {lifecycle.ResourceStarting, "db"}, {lifecycle.ResourceReady, "db"}, {lifecycle.ResourceStarting, "app"}, {lifecycle.StackStarted, ""}} {
		t.Run(string(at.event)+" "+at.resource, func(t *testing.T) {
			s := newStack(t, twoThatRun)
			p := s.up()
			p.await(at.event, at.resource)
			p.signal(syscall.SIGKILL)
			p.end()
			s.run("ps").exited(0)
			s.run("restart", "nobody").exited(2)
			p = s.up()
			p.await(lifecycle.StackStarted, "")
			p.signal(syscall.SIGKILL)
			p.end()
			s.runIn(t.TempDir(), "down", "-f", s.dir+"/lightshuttle.yml").exited(0)
			if left := s.left(); len(left) > 0 {
				t.Errorf("there is left: %v", left)
			}
		})
	}
}

// A process that was stopped holds the project and answers nobody.
func TestAnUpThatDoesNotAnswer(t *testing.T) {
	s := newStack(t, twoThatRun)
	p := s.up()
	p.await(lifecycle.StackStarted, "")
	p.signal(syscall.SIGSTOP)
	pid := strconv.Itoa(p.command.Process.Pid)
	s.run("ps").exited(0).prints("db", "app", "running").says("the engine is asked instead")
	s.run("down").exited(6).says("pid "+pid, "doesn't answer", "kill -9 "+pid)
	s.run("restart", "app").exited(6).says("pid " + pid)
	if got := s.resources(); got != "app db" {
		t.Errorf("there are containers of %q", got)
	}
	p.signal(syscall.SIGCONT)
	s.run("down").exited(0)
	p.end().exited(0)
}

// A foreign or broken folder for locks: readers do without it, `up` says what to
// do.
func TestTheFolderForLocksIsUnusable(t *testing.T) {
	s := newStack(t, twoThatRun)
	s.run("up", "-d").exited(0)
	s.env = []string{"XDG_RUNTIME_DIR=" + t.TempDir()}
	if err := os.Symlink(t.TempDir(), strings.TrimPrefix(s.env[0], "XDG_RUNTIME_DIR=")+"/lightshuttle"); err != nil {
		t.Fatal(err)
	}
	s.run("ps").exited(0).prints("db", "app")
	s.run("up").exited(1).says("is not a folder but a symbolic link: remove it")
	s.run("down").exited(1).says("symbolic link")
	s.env = nil
	s.run("down").exited(0)
}

func TestUpDetached(t *testing.T) {
	s := newStack(t, `
	db:
		container: {image: IMAGE, command: [sleep, "1000"], stop_signal: SIGKILL, restart: always}
	app:
		container: {image: IMAGE, command: [sleep, "1000"], stop_signal: SIGKILL, depends_on: [db]}
`)
	s.run("up", "-d").exited(0).says("it runs on until `lightshuttle down`")
	if got := s.container("db").HostConfig.RestartPolicy.Name; got != "unless-stopped" {
		t.Errorf("the engine's policy for db is %q", got)
	}
	if got := s.container("app").HostConfig.RestartPolicy.Name; got != "no" && got != "" {
		t.Errorf("the engine's policy for app is %q", got)
	}
	db := s.container("db").ID
	s.run("up", "-d").exited(0)
	if s.container("db").ID != db {
		t.Error("what runs unchanged was not left alone")
	}
	// An attached one takes over: the program restarts now, not the engine.
	p := s.up()
	p.await(lifecycle.StackStarted, "")
	if got := s.container("db").HostConfig.RestartPolicy.Name; got != "no" && got != "" {
		t.Errorf("under `up` the engine's policy for db is %q", got)
	}
	p.stop().exited(0)
}

func TestUpDetachedIsRolledBackWhenItFails(t *testing.T) {
	s := newStack(t, `
	db:
		container: {image: IMAGE, command: [sleep, "1000"], stop_signal: SIGKILL}
	app:
		container: {image: IMAGE, command: "exit 3", healthcheck: {test: "exit 1"}, depends_on: [db]}
`)
	s.run("up", "-d").exited(4).says("app: exited with code 3")
	s.run("up", "-d", "--abort-on-exit").exited(2)
}

// The supervisor of processes is the engine of theirs.
func TestUpDetachedHasProcessesRestarted(t *testing.T) {
	s := newStack(t, `
	app:
		process: {command: [sh, -c, "echo run >> runs; exec sleep 0.5"], restart: always, stop_signal: SIGKILL}
`)
	s.run("up", "-d").exited(0)
	for strings.Count(s.read("runs"), "run") < 2 {
		select {
		case <-s.context().Done():
			t.Fatal("it ran but once")
		case <-time.After(10 * time.Millisecond):
		}
	}
	s.run("stop", "app").exited(0)
	s.run("ps").exited(0).prints("app")
	s.run("down").exited(0).says("app: removed")
}

// What no engine restarts, nobody does; that is said, and is no obstacle.
func TestUpDetachedSaysWhatNobodyRestarts(t *testing.T) {
	var stderr bytes.Buffer
	a := &app{stderr: &stderr}
	always := sdk.RestartPolicy{Mode: sdk.RestartAlways}
	p := &plan.Plan{Steps: []plan.Step{
		{Resource: "app", Spec: &sdk.Spec{}, Restart: always},
		{Resource: "db", Spec: &sdk.Spec{}},
	}}
	a.handOver(t.Context(), struct{ sdk.Runtime }{fake.New(nil)}, p)
	const note = "app: its runtime can't restart it by itself, so without `up` nothing does (restart: always)\n"
	if stderr.String() != note || p.Steps[0].Restart.Mode != "" {
		t.Errorf("it says %q, and the policy is %+v", stderr.String(), p.Steps[0].Restart)
	}
	stderr.Reset()
	p.Steps[0].Restart = always
	a.handOver(t.Context(), fake.New(nil), p)
	if stderr.Len() > 0 || p.Steps[0].Restart != always {
		t.Errorf("it says %q of a runtime that can", stderr.String())
	}
}
