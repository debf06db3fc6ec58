package main

import (
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/docker/docker/api/types/container"

	"github.com/lightshuttle/lightshuttle/host/lifecycle"
)

// A failed start that is kept, and the ways to remove it.
func TestL10DownRemovesWhatWasKept(t *testing.T) {
	s := newStack(t, `
	db:
		container: {image: IMAGE, command: [sleep, "1000"], stop_signal: SIGKILL, volumes: ["data:/data"]}
	app:
		container: {image: IMAGE, command: "echo broken; exit 2", healthcheck: {test: "exit 1"}, depends_on: [db]}
`)
	s.run("up", "--no-rollback").exited(4).says("app: exited with code 2", "everything was kept for a look", "`lightshuttle down` removes it")
	if got := s.resources(); got != "app db" {
		t.Fatalf("there are containers of %q, want app and db", got)
	}
	s.run("logs", "app").exited(0).prints("broken")
	s.run("ps").exited(0).prints("exited (2)", "running")

	// From any folder, without the manifest.
	s.runIn(t.TempDir(), "down", "-p", s.project).exited(0).says("app: removed", "db: removed")
	if got := strings.Join(s.left(), " "); got != "volume "+s.volumes()[0].Name {
		t.Errorf("there is left: %s, want the volume alone", got)
	}
	s.run("down").exited(0).says("project " + s.project + " has no containers")
	s.run("ps").exited(0).says("project " + s.project + " has no containers")
	s.run("down", "--volumes").exited(0).says("volume ", ": removed")
	s.run("down", "--volumes").exited(0).says("project " + s.project + " has no containers")
}

// A generated password is kept as long as the data that it opens.
func TestDownVolumesForgetsThePassword(t *testing.T) {
	s := newStack(t, `
	db:
		postgres: {image: IMAGE, healthcheck: {test: "exit 0"}, volume: true}
`)
	s.run("up").exited(4) // busybox is no server
	state := s.read(".lightshuttle/state.json")
	if !strings.Contains(state, "passwords") {
		t.Fatalf("no password was kept: %s", state)
	}
	if info, err := os.Stat(s.dir + "/.lightshuttle/state.json"); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the state can be read by others: %v %v", info.Mode(), err)
	}
	s.run("up").exited(4)
	if again := s.read(".lightshuttle/state.json"); again != state {
		t.Errorf("the state was %s and is %s", state, again)
	}
	s.run("down", "--volumes").exited(0)
	if again := s.read(".lightshuttle/state.json"); strings.Contains(again, "passwords") {
		t.Errorf("the password outlives its data: %s", again)
	}
}

// After kill -9, ps tells the truth, up adopts what matches and recreates what
// doesn't (L19), and down removes everything.
func TestL17UpConverges(t *testing.T) {
	const first = `
	db:
		container: {image: IMAGE, command: [sleep, "1000"], stop_signal: SIGKILL}
	app:
		container: {image: IMAGE, command: [sleep, "1000"], stop_signal: SIGKILL, depends_on: [db], env: {LEVEL: one}}
	old:
		container: {image: IMAGE, command: [sleep, "1000"], stop_signal: SIGKILL}
`
	s := newStack(t, first)
	p := s.up()
	p.await(lifecycle.StackStarted, "")
	db, app, old := s.container("db").ID, s.container("app").ID, s.container("old").ID
	p.signal(syscall.SIGKILL)
	p.end()
	s.run("ps").exited(0).prints("db", "app", "running")

	p = s.up()
	p.await(lifecycle.StackStarted, "")
	if s.container("db").ID != db || s.container("app").ID != app || s.container("old").ID != old {
		t.Error("what was as it should be was not left alone")
	}
	p.signal(syscall.SIGKILL)
	p.end()

	s.write(strings.ReplaceAll(first[:strings.Index(first, "\told:")], "LEVEL: one", "LEVEL: two"))
	s.run("plan").exited(0).prints("keep", "recreate", "env LEVEL changed", "remove", "it is no longer in the manifest")
	p = s.up()
	p.await(lifecycle.StackStarted, "")
	if got := s.resources(); got != "app db" {
		t.Errorf("there are containers of %q, want app and db", got)
	}
	if s.container("db").ID != db {
		t.Error("db was recreated, and hadn't changed")
	}
	if s.container("app").ID == app {
		t.Error("app has changed, and wasn't recreated")
	}
	p.signal(syscall.SIGKILL)
	p.end()
	s.run("down").exited(0).says("app: removed", "db: removed")
}

// L19: what is named is recreated, and what wants to be restarted with it; the
// rest is left alone.
func TestL19UpTouchesOnlyWhatItHasTo(t *testing.T) {
	const server = "container: {image: IMAGE, command: [sleep, \"1000\"], stop_signal: SIGKILL"
	s := newStack(t, `
	db:
		`+server+`}
	cache:
		`+server+`}
	app:
		`+server+`, depends_on: [db], restart_with: [db, cache]}
	other:
		`+server+`, depends_on: [db]}
`)
	ids := map[string]string{}
	up := func(args ...string) {
		t.Helper()
		p := s.up(args...)
		p.await(lifecycle.StackStarted, "")
		p.signal(syscall.SIGKILL)
		p.end()
	}
	wantNew := func(names ...string) {
		t.Helper()
		for _, name := range []string{"db", "cache", "app", "other"} {
			id := s.container(name).ID
			if (id != ids[name]) != slices.Contains(names, name) {
				t.Errorf("%s: was %q, is %q; only %v should be new", name, ids[name], id, names)
			}
			ids[name] = id
		}
	}
	up()
	wantNew("db", "cache", "app", "other")
	up()
	wantNew()
	up("--force-recreate", "app")
	wantNew("app")
	s.run("plan", "--force-recreate", "db").exited(0).prints("recreate", "it is recreated, as it was asked for")
	s.run("plan", "--pull", "always").exited(0).prints("its image is pulled anew, as it was asked for")
	s.run("plan", "--pull", "sometimes").exited(2)
	s.run("plan").exited(0).prints("keep", "it runs as it should")
	up("--force-recreate")
	wantNew("db", "cache", "app", "other")
	if err := s.docker.ContainerRemove(s.context(), ids["cache"], container.RemoveOptions{Force: true}); err != nil {
		t.Fatal(err)
	}
	s.run("plan").exited(0).prints("it isn't there", "it restarts with cache, which is created")
	up()
	wantNew("cache", "app")
	s.run("down").exited(0)
}

// What ran before a run is left as it was when that run fails.
func TestL7UpRollsBackOnlyItsOwn(t *testing.T) {
	const db = `
	db:
		container: {image: IMAGE, command: [sleep, "1000"], stop_signal: SIGKILL}
`
	s := newStack(t, db)
	p := s.up()
	p.await(lifecycle.StackStarted, "")
	id := s.container("db").ID
	p.signal(syscall.SIGKILL)
	p.end()
	s.write(db + `
	app:
		container: {image: IMAGE, command: "exit 1", healthcheck: {test: "exit 1"}}
`)
	s.run("up").exited(4)
	if got := s.resources(); got != "db" || s.container("db").ID != id || !s.container("db").State.Running {
		t.Errorf("there are containers of %q, want db as it was", got)
	}
	s.run("down").exited(0)
}
