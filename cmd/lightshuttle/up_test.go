package main

import (
	"net"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/lightshuttle/lightshuttle/host/lifecycle"
)

// A probe that passes late holds back what depends on it, however often it has
// failed by then.
func TestL1UpHoldsDependentsBack(t *testing.T) {
	s := newStack(t, `
	db:
		container:
			image: IMAGE
			command: [sleep, "1000"]
			stop_signal: SIGKILL
			volumes: ["./shared:/shared"]
			healthcheck: {test: "echo tried >> /shared/probes; test -f /shared/ok", interval: 200ms, start_period: 60s}
	app:
		container: {image: IMAGE, command: [sleep, "1000"], stop_signal: SIGKILL, depends_on: [db]}
`)
	s.file("shared/probes", "")
	p := s.up()
	p.await(lifecycle.ResourceStarted, "db")
	eventually(t, "three probes failed", func() bool { return strings.Count(s.read("shared/probes"), "tried") >= 3 })
	if got := s.resources(); got != "db" {
		t.Fatalf("there are containers of %q, want only db", got)
	}
	s.file("shared/ok", "")
	p.await(lifecycle.StackStarted, "")
	if got := s.resources(); got != "app db" {
		t.Errorf("there are containers of %q, want app and db", got)
	}
	p.stop().exited(0)
	healthy, _ := p.had(lifecycle.ResourceHealthy, "db")
	starting, _ := p.had(lifecycle.ResourceStarting, "app")
	if healthy >= starting {
		t.Errorf("app was started before db was healthy")
	}
}

// A resource that is waited for to complete holds back what depends on it until
// it has exited 0.
func TestL3UpWaitsForCompletion(t *testing.T) {
	s := newStack(t, `
	migrate:
		container:
			image: IMAGE
			command: "while ! test -f /shared/go; do usleep 20000; done; echo done > /shared/migrated"
			volumes: ["./shared:/shared"]
	app:
		container:
			image: IMAGE
			command: "cat /shared/migrated && exec sleep 1000"
			volumes: ["./shared:/shared"]
			stable_for: 300ms
			stop_signal: SIGKILL
			depends_on: {migrate: {condition: completed}}
`)
	s.file("shared/probes", "")
	p := s.up()
	p.await(lifecycle.ResourceStarted, "migrate")
	if got := s.resources(); got != "migrate" {
		t.Errorf("there are containers of %q, want only migrate", got)
	}
	s.file("shared/go", "")
	p.await(lifecycle.StackStarted, "")
	if code := s.container("migrate").State.ExitCode; code != 0 {
		t.Errorf("migrate exited with %d", code)
	}
	p.stop().exited(0)
}

func TestUpFailsWhenCompletionFails(t *testing.T) {
	s := newStack(t, `
	migrate:
		container: {image: IMAGE, command: "echo no such table; exit 5"}
	app:
		container: {image: IMAGE, depends_on: {migrate: {condition: completed}}}
`)
	s.run("up").exited(4).says("migrate: exited with code 5", "no such table", "dependency `migrate` failed")
}

// A probe that never passes: in time, with what is needed to understand it.
func TestL5UpFailsWhenTheProbeNeverPasses(t *testing.T) {
	s := newStack(t, `
	db:
		container:
			image: IMAGE
			command: "echo warming up; exec sleep 1000"
			stop_signal: SIGKILL
			healthcheck: {test: "echo connection refused; exit 1", interval: 200ms, retries: 2, start_period: 100ms}
	app:
		container: {image: IMAGE, command: [sleep, "1000"], depends_on: [db]}
	other:
		container: {image: IMAGE, command: [sleep, "1000"], stop_signal: SIGKILL}
`)
	s.run("up").exited(4).says(
		"error: db: healthcheck:", "│ connection refused", "│ warming up",
		"app: cancelled: dependency `db` failed", "all that this start had created was removed",
	)
}

func TestUpFailsWhenAResourceIsntReadyInTime(t *testing.T) {
	s := newStack(t, `
	db:
		container:
			image: IMAGE
			command: "echo warming up; exec sleep 1000"
			stop_signal: SIGKILL
			start_timeout: 10s
			healthcheck: {test: "echo connection refused; exit 1"}
`)
	s.run("up").exited(5).says("db: not ready within 10s", "start_timeout", "│ connection refused", "│ warming up")
}

func TestL5UpFailsWhenAContainerExits(t *testing.T) {
	s := newStack(t, `
	db:
		container:
			image: IMAGE
			command: "echo cannot open config >&2; exit 7"
			healthcheck: {test: "exit 1"}
	app:
		container: {image: IMAGE, command: [sleep, "1000"], depends_on: [db]}
`)
	r := s.run("up").exited(4).says("error: db: exited with code 7 before it was ready", "│ cannot open config")
	if strings.Contains(r.stderr, "error during connect") {
		t.Errorf("the client's own words show:\n%s", r.stderr)
	}
}

func TestUpWaitTimeout(t *testing.T) {
	s := newStack(t, `
	db:
		container: {image: IMAGE, command: [sleep, "1000"], stop_signal: SIGKILL, healthcheck: {test: "exit 1"}}
`)
	s.run("up", "--wait-timeout", "700ms").exited(5).says("the stack was not up within 700ms", "--wait-timeout")
}

// The limit is for the start alone.
func TestUpWaitTimeoutEndsWithTheStart(t *testing.T) {
	s := newStack(t, `
	app:
		container: {image: IMAGE, command: "while ! test -f /shared/go; do usleep 20000; done; exit 3", volumes: ["./shared:/shared"], stop_signal: SIGKILL}
`)
	s.file("shared/x", "")
	p := s.up("--wait-timeout", "20s")
	p.await(lifecycle.StackStarted, "")
	s.file("shared/go", "")
	p.await(lifecycle.ResourceExited, "app")
	p.stop().exited(0)
}

func TestUpAbortOnExit(t *testing.T) {
	s := newStack(t, `
	tests:
		container: {image: IMAGE, command: "while ! test -f /shared/go; do usleep 20000; done; exit 9", volumes: ["./shared:/shared"]}
	db:
		container: {image: IMAGE, command: [sleep, "1000"], stop_signal: SIGKILL}
`)
	s.file("shared/x", "")
	p := s.up("--abort-on-exit")
	p.await(lifecycle.StackStarted, "")
	s.file("shared/go", "")
	p.end().exited(9).says("tests exited with code 9")
}

func TestUpDryRunChangesNothing(t *testing.T) {
	s := newStack(t, `
	db:
		redis: {image: IMAGE}
	app:
		container: {image: IMAGE, command: [sleep, "1000"], depends_on: [db], volumes: ["data:/data"]}
`)
	before := entries(t, s.dir)
	s.run("up", "--dry-run").exited(0).prints("create  container  app", "waits until db is ready")
	if after := entries(t, s.dir); after != before {
		t.Errorf("the folder has %q now, and had %q", after, before)
	}
	s.wantNothingLeft()
}

func entries(t *testing.T, dir string) string {
	t.Helper()
	found, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range found {
		names = append(names, entry.Name())
	}
	return strings.Join(names, " ")
}

func TestUpRefusesAPortThatAProcessHolds(t *testing.T) {
	listening, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listening.Close() })
	port := strconv.Itoa(listening.Addr().(*net.TCPAddr).Port)
	s := newStack(t, `
	app:
		container: {image: IMAGE, command: [sleep, "1000"], ports: ["`+port+`:80"]}
	other:
		container: {image: IMAGE, command: [sleep, "1000"]}
`)
	r := s.run("up").exited(4).says("error: app: port "+port+" on 127.0.0.1 is in use by ", "(pid "+strconv.Itoa(os.Getpid())+")")
	if strings.Contains(r.stderr, "starting") {
		t.Errorf("it was started all the same:\n%s", r.stderr)
	}
}

func TestUpRefusesAPortThatAContainerHolds(t *testing.T) {
	t.Parallel()
	holder := newStackOf(t, `
	web:
		container: {image: IMAGE, command: [sleep, "1000"], stop_signal: SIGKILL, ports: ["0:80"]}
`)
	p := holder.up()
	p.await(lifecycle.StackStarted, "")
	port := holder.container("web").NetworkSettings.Ports["80/tcp"][0].HostPort
	s := newStackOf(t, `
	app:
		container: {image: IMAGE, command: [sleep, "1000"], ports: ["`+port+`:80"]}
`)
	s.run("up").exited(4).says("port " + port + " on 127.0.0.1 is in use by container " + holder.project + ".web of project " + holder.project)
	s.wantNothingLeft()
	p.stop().exited(0)
}

func TestUpUsesALocalImageWithoutARegistry(t *testing.T) {
	s := newStack(t, "")
	local := "registry.invalid/" + s.project + ":1"
	if err := s.docker.ImageTag(t.Context(), image, local); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.untag(local) })
	s.write(`
	app:
		container: {image: ` + local + `, command: [sleep, "1000"], stop_signal: SIGKILL}
`)
	p := s.up()
	p.await(lifecycle.StackStarted, "")
	p.stop().exited(0)
	if _, pulled := p.had(lifecycle.ResourcePreparing, "app"); pulled {
		t.Error("it was pulled")
	}
}

func TestUpNeverPullRefusesAMissingImage(t *testing.T) {
	s := newStack(t, `
	app:
		container: {image: "registry.invalid/nowhere:1", pull: never}
	other:
		container: {image: IMAGE, command: [sleep, "1000"]}
`)
	r := s.run("up").exited(4).says("app: ", "registry.invalid/nowhere:1")
	if strings.Contains(r.stderr, "starting") {
		t.Errorf("it was started all the same:\n%s", r.stderr)
	}
}

// Paths are relative to the manifest, wherever the program is run.
func TestUpFromAnotherFolder(t *testing.T) {
	s := newStack(t, `
	app:
		container:
			image: IMAGE
			command: "cat /data/file; echo $WORD > /data/out; exec sleep 1000"
			env: {WORD: "${env.WORD_OF_TEST}"}
			volumes: ["./data:/data"]
			healthcheck: {test: "test -s /data/out"}
			stop_signal: SIGKILL
`)
	s.file("data/file", "from the host\n")
	s.file(".env", "WORD_OF_TEST=hello\n")
	elsewhere := *s
	elsewhere.dir = t.TempDir()
	p := elsewhere.up("-f", s.dir+"/lightshuttle.yml")
	p.await(lifecycle.StackStarted, "")
	if got := s.read("data/out"); got != "hello\n" {
		t.Errorf("the container saw %q in its environment", got)
	}
	elsewhere.run("logs", "-f", s.dir+"/lightshuttle.yml", "app").exited(0).prints("from the host\n")
	p.stop().exited(0)
	if entries(t, elsewhere.dir) != "" {
		t.Errorf("something was written where the program was run")
	}
}

// Results are on stdout and everything else is on stderr, without any colour
// where there is no terminal.
func TestUpStreams(t *testing.T) {
	s := newStack(t, `
	app:
		container: {image: IMAGE, command: [sleep, "1000"], stop_signal: SIGKILL}
`)
	p := s.up()
	p.await(lifecycle.StackStarted, "")
	r := p.stop().exited(0)
	if r.stderr != "" {
		t.Errorf("with --json there is on stderr:\n%s", r.stderr)
	}
	for i, event := range p.seen {
		if event.Seq != uint64(i+1) {
			t.Errorf("event %d has the number %d", i+1, event.Seq)
		}
		if event.Time.IsZero() {
			t.Errorf("event %d has no time", event.Seq)
		}
	}
	s.write(`
	app:
		container: {image: IMAGE, command: "exit 1", healthcheck: {test: "exit 1"}}
`)
	r = s.run("up").exited(4)
	if r.stdout != "" || strings.Contains(r.stderr, "\x1b") {
		t.Errorf("stdout: %q\nstderr: %q", r.stdout, r.stderr)
	}
}

func TestL18UpRefusesAForeignContainer(t *testing.T) {
	s := newStack(t, `
	app:
		container: {image: IMAGE, command: [sleep, "1000"]}
`)
	foreign := s.foreignContainer(s.project + ".app")
	s.run("up").exited(4).says(s.project + ".app")
	s.run("down").exited(0)
	if inspected, err := s.docker.ContainerInspect(t.Context(), foreign); err != nil || inspected.Name != "/"+s.project+".app" {
		t.Errorf("the foreign container was touched: %v", err)
	}
}

func TestL18UpRefusesAForeignNetwork(t *testing.T) {
	s := newStack(t, `
	app:
		container: {image: IMAGE, command: [sleep, "1000"]}
`)
	foreign := s.foreignNetwork(s.networkName())
	s.run("up").exited(4).says(s.networkName())
	s.run("down")
	if _, err := s.docker.NetworkInspect(t.Context(), foreign, inspectNetwork); err != nil {
		t.Errorf("the foreign network was touched: %v", err)
	}
}
