package process

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// killSupervisor kills the project's supervisor as nothing can prevent.
func killSupervisor(t *testing.T, r *Runtime) {
	t.Helper()
	c, err := dialIn(r.projectDir("shop"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var peer *unix.Ucred
	var peerErr error
	if err := raw.Control(func(fd uintptr) { peer, peerErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) }); err != nil || peerErr != nil {
		t.Fatal(err, peerErr)
	}
	if err := unix.Kill(int(peer.Pid), unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

func TestL17AKilledSupervisorLeavesNothingAndLosesNothing(t *testing.T) {
	dir := t.TempDir()
	r := openIn(t, dir)
	pidFile := filepath.Join(t.TempDir(), "pid")
	spec := role("web", "escape")
	spec.Command = []string{"sh", "-c", "echo before; " + os.Args[0] + " " + pidFile + "; exec sleep 3600"}
	id := start(t, r, spec)
	events, err := r.Watch(t.Context(), "shop", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	var daemon identity
	waitFor(t, "the daemon", func() bool {
		data, err := os.ReadFile(pidFile)
		if err != nil {
			return false
		}
		pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
		if err != nil {
			t.Fatal(err)
		}
		daemon, err = identify(pid)
		return err == nil
	})
	leader := leaderOf(t, r, id)
	killSupervisor(t, r)
	event, more := <-events
	if !more || event.Type != sdk.EventLost || event.Err == nil {
		t.Errorf("event = %+v, %v; want that the supervisor is lost", event, more)
	}
	waitFor(t, "the process to die with its supervisor", func() bool { return !leader.lives() })
	state := inspect(t, r, id)
	if !state.Ended() || state.ExitCode == nil || *state.ExitCode != killedExitCode || state.Error == "" {
		t.Errorf("state = %+v", state)
	}
	if got := text(logsOf(t, r, id, everything), ""); got != "before\n" {
		t.Errorf("log = %q", got)
	}
	// Who looks next sweeps.
	other := start(t, r, shell("other", "exec sleep 3600"))
	waitFor(t, "the daemon to be swept", func() bool { return !daemon.lives() })
	if state := inspect(t, r, id); !state.Ended() || state.FinishedAt.IsZero() {
		t.Errorf("state = %+v", state)
	}
	if state := inspect(t, r, other); state.Status != sdk.StatusRunning {
		t.Errorf("the other one is %s", state.Status)
	}
}

// A record whose pid is another process's by now.
func TestAReusedPIDIsNeverKilled(t *testing.T) {
	innocent := open(t)
	id := start(t, innocent, shell("innocent", "exec sleep 3600"))
	victim := leaderOf(t, innocent, id)
	for i, stale := range []identity{
		{PID: victim.PID, Start: "1", Boot: victim.Boot},
		{PID: victim.PID, Start: victim.Start, Boot: "another run of the system"},
	} {
		r := open(t)
		name := "web" + strconv.Itoa(i)
		record := newID("shop", name)
		if err := os.MkdirAll(r.projectDir("shop"), 0o700); err != nil {
			t.Fatal(err)
		}
		earlier, err := openJournal(r.projectDir("shop"))
		if err != nil {
			t.Fatal(err)
		}
		spec := shell(name, "true")
		if err := earlier.write(note{ID: record, Spec: &spec, Status: &status{State: sdk.StatusRunning, Leader: stale, CreatedAt: time.Now()}}); err != nil {
			t.Fatal(err)
		}
		if state := inspect(t, r, record); !state.Ended() {
			t.Errorf("state = %+v: it isn't the one that runs", state)
		}
		if err := r.Stop(t.Context(), record, 0); err != nil {
			t.Fatal(err)
		}
		if err := r.Remove(t.Context(), record); err != nil {
			t.Fatal(err)
		}
		if err := stale.kill(); err != nil {
			t.Fatal(err)
		}
	}
	if !victim.lives() || inspect(t, innocent, id).Status != sdk.StatusRunning {
		t.Error("the innocent was killed")
	}
}

func TestASupervisorThatIsToldToEndStopsItsProcesses(t *testing.T) {
	r := open(t)
	spec := shell("web", "trap 'echo saved; exit 0' TERM; echo ready; while :; do sleep 0.02; done")
	id := start(t, r, spec)
	ready(t, r, id)
	supervisor, err := readStat(leaderOf(t, r, id).PID)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Kill(supervisor.parent, unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if state := ended(t, r, id); state.ExitCode == nil || *state.ExitCode != 0 {
		t.Errorf("state = %+v", state)
	}
	if got := text(logsOf(t, r, id, everything), ""); !strings.Contains(got, "saved\n") {
		t.Errorf("log = %q", got)
	}
}

func TestSecretsStandInNoArgument(t *testing.T) {
	r := open(t)
	spec := shell("web", "exec sleep 3600")
	spec.Env = map[string]string{"PASSWORD": "hidden-in-plain-sight"}
	start(t, r, spec)
	for pid := range readTable() {
		data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
		if err == nil && strings.Contains(string(data), "hidden-in-plain-sight") && pid != os.Getpid() {
			t.Errorf("process %d has it: %q", pid, data)
		}
	}
	_ = filepath.WalkDir(r.dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 && path != r.dir {
			t.Errorf("%s has mode %s", path, info.Mode())
		}
		return nil
	})
}
