//go:build unix

package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// patience bounds a wait for what comes in milliseconds.
const patience = 30 * time.Second

var everything = sdk.LogOptions{Tail: -1}

func TestAProcessFromStartToEnd(t *testing.T) {
	r := open(t)
	dir := t.TempDir()
	spec := shell("web", `echo "$GREETING from $(pwd)"; echo warning >&2; exit 3`)
	spec.WorkingDir = dir
	spec.Env = map[string]string{"GREETING": "hello"}
	id := start(t, r, spec)
	state := ended(t, r, id)
	if state.Status != sdk.StatusExited || state.ExitCode == nil || *state.ExitCode != 3 || state.FinishedAt.Before(state.StartedAt) {
		t.Errorf("state = %+v", state)
	}
	entries := logsOf(t, r, id, everything)
	if got, want := text(entries, sdk.Stdout), "hello from "+dir+"\n"; got != want {
		t.Errorf("stdout = %q, want %q", got, want)
	}
	if got := text(entries, sdk.Stderr); got != "warning\n" {
		t.Errorf("stderr = %q", got)
	}
	for _, entry := range entries {
		if entry.Time.Before(state.CreatedAt) || entry.Time.After(time.Now()) {
			t.Errorf("an entry is of %s", entry.Time)
		}
	}
	if err := r.Stop(t.Context(), id, time.Second); err != nil {
		t.Errorf("Stop() after the end = %v", err)
	}
	for range 2 {
		if err := r.Remove(t.Context(), id); err != nil {
			t.Errorf("Remove() = %v", err)
		}
	}
	if _, err := r.Inspect(t.Context(), id); !sdk.IsCode(err, sdk.CodeNotFound) {
		t.Errorf("Inspect() after the removal = %v", err)
	}
}

func TestStopSendsTheSignalAndThenKills(t *testing.T) {
	tests := []struct {
		name, script, signal string
		grace                time.Duration
		want                 int
	}{
		{"it obeys", "trap 'exit 5' TERM; echo ready; while :; do sleep 1 & wait; done", "", patience, 5},
		{"its own signal", "trap 'exit 6' USR1; echo ready; while :; do sleep 1 & wait; done", "SIGUSR1", patience, 6},
		{"it doesn't know the signal", "echo ready; exec sleep 3600", "", patience, 143},
		{"it ignores it", "trap '' TERM; echo ready; while :; do sleep 1; done", "", 50 * time.Millisecond, 137},
		{"no grace", "trap 'exit 5' TERM; echo ready; while :; do sleep 1 & wait; done", "", 0, 137},
		{"it is stopped", "echo ready; kill -STOP $$; sleep 3600", "", patience, 143},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := open(t)
			spec := shell("web", test.script)
			spec.Stop.Signal = test.signal
			id := start(t, r, spec)
			ready(t, r, id)
			if err := r.Stop(t.Context(), id, test.grace); err != nil {
				t.Fatal(err)
			}
			state := inspect(t, r, id)
			if state.ExitCode == nil || *state.ExitCode != test.want {
				t.Errorf("state = %+v, want exit code %d", state, test.want)
			}
		})
	}
}

func TestStopGivesTheWholeGroupItsGrace(t *testing.T) {
	r := open(t)
	// The shell dies of the signal; its child takes a moment to be done.
	id := start(t, r, shell("web", `
		sh -c 'trap "sleep 0.3; echo saved; exit 0" TERM; echo ready; while :; do sleep 0.05; done' &
		wait`))
	ready(t, r, id)
	if err := r.Stop(t.Context(), id, patience); err != nil {
		t.Fatal(err)
	}
	if got := text(logsOf(t, r, id, everything), ""); !strings.Contains(got, "saved") {
		t.Errorf("log = %q: the child was killed with the shell", got)
	}
}

func TestNothingIsLeftOfAProcess(t *testing.T) {
	pidFile := filepath.Join(t.TempDir(), "pid")
	tests := []struct {
		name   string
		script string
		spec   func() sdk.Spec
	}{
		{"its group", "", func() sdk.Spec {
			return shell("web", fmt.Sprintf("sleep 3600 & echo $! > %s.new; mv %s.new %s; wait", pidFile, pidFile, pidFile))
		}},
		{"its group, after it ended by itself", "", func() sdk.Spec {
			return shell("web", fmt.Sprintf("(trap '' TERM; sleep 3600) & echo $! > %s.new; mv %s.new %s", pidFile, pidFile, pidFile))
		}},
		{"a daemon with its own session", "", func() sdk.Spec { return role("web", "escape", pidFile) }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := open(t)
			_ = os.Remove(pidFile)
			// The shell around it stays until the child has said who it is.
			spec := test.spec()
			if spec.Env["TEST_ROLE"] == "escape" {
				spec.Command = []string{"sh", "-c", fmt.Sprintf("%s %s; while :; do sleep 0.05; done", os.Args[0], pidFile)}
			}
			id := start(t, r, spec)
			var child identity
			waitFor(t, "the child's pid", func() bool {
				data, err := os.ReadFile(pidFile)
				if err != nil {
					return false
				}
				pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
				if err != nil {
					t.Fatal(err)
				}
				child, err = identify(pid)
				return err == nil || strings.Contains(test.name, "by itself")
			})
			if err := r.Stop(t.Context(), id, 100*time.Millisecond); err != nil {
				t.Fatal(err)
			}
			waitFor(t, "the end of "+strconv.Itoa(child.PID), func() bool { return !child.lives() })
		})
	}
}

func TestStartRefuses(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	text := filepath.Join(dir, "text")
	for path, mode := range map[string]os.FileMode{plain: 0o600, text: 0o700} {
		if err := os.WriteFile(path, []byte("not a program"), mode); err != nil {
			t.Fatal(err)
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	number := uint16(listener.Addr().(*net.TCPAddr).Port)
	taken := sdk.PortBinding{HostIP: "127.0.0.1", HostPort: number, ContainerPort: number, Protocol: sdk.TCP}
	tests := []struct {
		name   string
		change func(*sdk.Spec)
		code   sdk.Code
		want   string
	}{
		{"a program that isn't there", func(s *sdk.Spec) { s.Command = []string{"no-such-program"} }, sdk.CodeNotFound, "no-such-program in PATH"},
		{"a path that isn't there", func(s *sdk.Spec) { s.Command = []string{"./no-such"}; s.WorkingDir = dir }, sdk.CodeNotFound, dir + "/no-such"},
		{"a file that isn't executable", func(s *sdk.Spec) { s.Command = []string{plain} }, sdk.CodeDenied, "can't be executed"},
		{"a file that is no program", func(s *sdk.Spec) { s.Command = []string{text} }, sdk.CodeInvalid, "can't be run"},
		{"a folder that isn't there", func(s *sdk.Spec) { s.WorkingDir = dir + "/none" }, sdk.CodeNotFound, "no folder"},
		{"no command", func(s *sdk.Spec) { s.Command = nil }, sdk.CodeInvalid, "no command"},
		{"a signal that is none", func(s *sdk.Spec) { s.Stop.Signal = "SIGNOPE" }, sdk.CodeInvalid, "SIGNOPE"},
		{"a name that leads elsewhere", func(s *sdk.Spec) { s.Project = "../x" }, sdk.CodeInvalid, "can't name"},
		{"a port that is taken", func(s *sdk.Spec) { s.Ports = []sdk.PortBinding{taken} }, sdk.CodePortInUse, "in use"},
		{"an image", func(s *sdk.Spec) { s.Image = "alpine" }, sdk.CodeUnsupported, "`image`"},
		{"a mount", func(s *sdk.Spec) { s.Mounts = []sdk.Mount{{}} }, sdk.CodeUnsupported, "`volumes`"},
		{"a limit", func(s *sdk.Spec) { s.Limits.PIDs = 5 }, sdk.CodeUnsupported, "`limits`"},
		{"another port", func(s *sdk.Spec) { s.Ports = []sdk.PortBinding{{HostPort: 8080, ContainerPort: 80}} }, sdk.CodeUnsupported, "`ports`"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := open(t)
			spec := shell("web", "true")
			test.change(&spec)
			_, err := r.Start(t.Context(), spec)
			if !sdk.IsCode(err, test.code) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Start() = %v (%s), want %s with %q", err, sdk.CodeOf(err), test.code, test.want)
			}
			if left := idsIn(r.projectDir("shop")); len(left) > 0 {
				t.Errorf("it left %v", left)
			}
		})
	}
}

func TestANameIsTakenOnce(t *testing.T) {
	r := open(t)
	start(t, r, shell("web", "sleep 3600"))
	if _, err := r.Start(t.Context(), shell("web", "true")); !sdk.IsCode(err, sdk.CodeConflict) {
		t.Errorf("Start() of the same name = %v", err)
	}
}

func TestWatchTellsInOrder(t *testing.T) {
	r := open(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	events, err := r.Watch(ctx, "shop", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	id := start(t, r, shell("web", "exit 4"))
	expect := func(events <-chan sdk.Event, what sdk.EventType, code int) {
		t.Helper()
		event, open := <-events
		if !open || event.Type != what || event.ID != id || event.Resource != "web" || event.ExitCode != code {
			t.Errorf("event = %+v, %v; want %s", event, open, what)
		}
	}
	expect(events, sdk.EventStarted, 0)
	expect(events, sdk.EventExited, 4)
	late, err := r.Watch(ctx, "shop", began)
	if err != nil {
		t.Fatal(err)
	}
	expect(late, sdk.EventStarted, 0)
	expect(late, sdk.EventExited, 4)
	if err := r.Remove(ctx, id); err != nil {
		t.Fatal(err)
	}
	expect(events, sdk.EventRemoved, 0)
	cancel()
	for range events { // closed by the context
		t.Error("an event after the end")
	}
}

func TestWaitHealthy(t *testing.T) {
	r := open(t)
	flag := filepath.Join(t.TempDir(), "flag")
	check := sdk.Healthcheck{Test: []string{"sh", "-c", `test -e "$FLAG" || { echo not yet; exit 1; }`}, Interval: sdk.Duration(time.Millisecond), StartInterval: sdk.Duration(time.Millisecond), Retries: 1000000}
	spec := shell("web", `sleep 0.1; touch "$FLAG"; exec sleep 3600`)
	spec.Env = map[string]string{"FLAG": flag}
	id := start(t, r, spec)
	if state, err := r.WaitHealthy(t.Context(), id, &check); err != nil || state.Status != sdk.StatusRunning {
		t.Errorf("WaitHealthy() = %+v, %v", state, err)
	}
	logs := &sdk.Healthcheck{Log: &sdk.LogCheck{Pattern: "^ready$"}}
	id = start(t, r, shell("log", "sleep 0.05; echo ready; exec sleep 3600"))
	if _, err := r.WaitHealthy(t.Context(), id, logs); err != nil {
		t.Errorf("WaitHealthy() by log = %v", err)
	}
	if _, err := r.WaitHealthy(t.Context(), id, nil); err != nil {
		t.Errorf("WaitHealthy() without a check = %v", err)
	}
	spec = shell("crash", "sleep 0.1; exit 9")
	spec.Env = map[string]string{"FLAG": flag + "-none"}
	id = start(t, r, spec)
	_, err := r.WaitHealthy(t.Context(), id, &check)
	if e, ok := errors.AsType[*sdk.Error](err); !ok || e.Code != sdk.CodeExited || e.ExitCode != 9 || !strings.Contains(e.Output, "not yet") {
		t.Errorf("WaitHealthy() of one that ends = %+v", err)
	}
}

func TestExec(t *testing.T) {
	r := open(t)
	spec := shell("web", "exec sleep 3600")
	spec.WorkingDir = t.TempDir()
	spec.Env = map[string]string{"A": "1", "B": "1"}
	id := start(t, r, spec)
	var stdout, stderr bytes.Buffer
	options := sdk.ExecOptions{Command: []string{"sh", "-c", `echo "$A$B$(pwd)"; echo bad >&2; exit 7`}, Env: map[string]string{"B": "2"}, Stdout: &stdout, Stderr: &stderr}
	code, err := r.Exec(t.Context(), id, options)
	if want := "12" + spec.WorkingDir + "\n"; err != nil || code != 7 || stdout.String() != want || stderr.String() != "bad\n" {
		t.Errorf("Exec() = %d, %v; %q %q", code, err, stdout.String(), stderr.String())
	}
	if code, err := r.Exec(t.Context(), id, sdk.ExecOptions{Command: []string{"no-such-program"}}); err != nil || code != 127 {
		t.Errorf("Exec() of what isn't there = %d, %v", code, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := r.Exec(ctx, id, sdk.ExecOptions{Command: []string{"sh", "-c", "sleep 3600; true"}, Stdout: &stdout}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Exec() beyond its time = %v", err)
	}
}

func TestEnvAndPorts(t *testing.T) {
	r := open(t)
	spec := shell("web", "exec sleep 3600")
	spec.Env = map[string]string{"PASSWORD": "hidden", "PORT": "12345"}
	spec.SecretEnv = []string{"PASSWORD"}
	spec.Ports = []sdk.PortBinding{{HostIP: "127.0.0.1", HostPort: 12345, ContainerPort: 12345, Protocol: sdk.TCP}}
	id := start(t, r, spec)
	if env, err := r.Env(t.Context(), id); err != nil || env["PASSWORD"] != "hidden" {
		t.Errorf("Env() = %v, %v", env, err)
	}
	ports, err := r.PublishedPorts(t.Context())
	if err != nil || len(ports) != 1 || ports[0].HostPort != 12345 || ports[0].Project != "shop" || ports[0].Container != "shop.web" {
		t.Errorf("PublishedPorts() = %+v, %v", ports, err)
	}
	if err := r.Stop(t.Context(), id, 0); err != nil {
		t.Fatal(err)
	}
	if ports, err := r.PublishedPorts(t.Context()); err != nil || len(ports) != 0 {
		t.Errorf("PublishedPorts() after the end = %+v, %v", ports, err)
	}
}

func TestAStartThatIsCutOffLeavesNothing(t *testing.T) {
	r := open(t)
	keep := start(t, r, shell("keep", "exec sleep 3600"))
	for i := range 40 {
		ctx, cancel := context.WithCancel(t.Context())
		timer := time.AfterFunc(time.Duration(i)*100*time.Microsecond, cancel)
		id, err := r.Start(ctx, shell("web", "exec sleep 3600"))
		timer.Stop()
		cancel()
		if err == nil {
			if err := r.Remove(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Start() = %v, want the context's error", err)
		}
		if left := idsIn(r.projectDir("shop")); !slices.Equal(left, []string{keep}) {
			t.Fatalf("it left %v", left)
		}
	}
}

func Test200ProcessesUpAndDown(t *testing.T) {
	r := open(t)
	const count = 200
	ids := make([]string, count)
	errs := make([]error, count)
	var all sync.WaitGroup
	for i := range count {
		all.Go(func() { ids[i], errs[i] = r.Start(t.Context(), shell(fmt.Sprintf("p%d", i), "exec sleep 3600")) })
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	states, err := r.List(t.Context(), "shop")
	if err != nil || len(states) != count {
		t.Fatalf("List() has %d, %v", len(states), err)
	}
	leaders := make([]identity, count)
	for i, state := range states {
		if state.Status != sdk.StatusRunning {
			t.Errorf("%s is %s", state.Name, state.Status)
		}
		leaders[i] = leaderOf(t, r, state.ID)
	}
	for i := range count {
		all.Go(func() {
			errs[i] = errors.Join(r.Stop(t.Context(), ids[i], patience), r.Remove(t.Context(), ids[i]))
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	for _, leader := range leaders {
		if leader.lives() {
			t.Errorf("%d is left, a zombie maybe", leader.PID)
		}
	}
}
