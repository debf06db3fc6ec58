//go:build unix

package process

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lightshuttle/lightshuttle/sdk"
)

func TestTheSupervisorRestartsWhatItIsTold(t *testing.T) {
	r := open(t)
	runs := filepath.Join(t.TempDir(), "runs")
	crashing := func(name string, policy sdk.RestartPolicy) sdk.Spec {
		spec := shell(name, `echo run >> "$RUNS"; exit 3`)
		spec.Env = map[string]string{"RUNS": runs + name}
		spec.Restart = policy
		return spec
	}
	events, err := r.Watch(t.Context(), "shop", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	id := start(t, r, crashing("limited", sdk.RestartPolicy{Mode: sdk.RestartOnFailure, MaxRetries: 2}))
	state := ended(t, r, id)
	if state.Restarts != 2 || *state.ExitCode != 3 {
		t.Errorf("state = %+v, want two restarts", state)
	}
	if data, err := os.ReadFile(runs + "limited"); err != nil || string(data) != "run\nrun\nrun\n" {
		t.Errorf("it ran %q, %v", data, err)
	}
	for _, want := range slices.Repeat([]sdk.EventType{sdk.EventStarted, sdk.EventExited}, 3) {
		if event := <-events; event.Type != want || event.ID != id {
			t.Errorf("event = %+v, want %s", event, want)
		}
	}
	spec := crashing("succeeds", sdk.RestartPolicy{Mode: sdk.RestartOnFailure})
	spec.Command = []string{"true"}
	if state := ended(t, r, start(t, r, spec)); state.Restarts != 0 {
		t.Errorf("state = %+v, want no restart", state)
	}
}

func TestWhatIsStoppedStaysStopped(t *testing.T) {
	r := open(t)
	spec := shell("web", "exec sleep 3600")
	spec.Restart.Mode = sdk.RestartAlways
	id := start(t, r, spec)
	if err := r.Stop(t.Context(), id, patience); err != nil {
		t.Fatal(err)
	}
	if state := inspect(t, r, id); !state.Ended() || state.Restarts != 0 {
		t.Errorf("state = %+v", state)
	}
	// In the pause before a restart, there is nothing to send a signal to.
	spec = shell("resting", "exit 1")
	spec.Restart.Mode = sdk.RestartAlways
	resting := start(t, r, spec)
	waitFor(t, "a restart", func() bool { return inspect(t, r, resting).Restarts > 2 })
	if err := r.Stop(t.Context(), resting, patience); err != nil {
		t.Fatal(err)
	}
	if state := inspect(t, r, resting); !state.Ended() {
		t.Errorf("state = %+v", state)
	}
}

func TestSetRestart(t *testing.T) {
	r := open(t)
	always := sdk.RestartPolicy{Mode: sdk.RestartAlways}
	id := start(t, r, shell("web", "exec sleep 3600"))
	if err := r.SetRestart(t.Context(), id, always); err != nil {
		t.Fatal(err)
	}
	if state := inspect(t, r, id); state.Restart != always {
		t.Errorf("state = %+v", state)
	}
	first := leaderOf(t, r, id)
	if err := signalGroup(first.PID, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "another process", func() bool { return leaderOf(t, r, id).lives() && leaderOf(t, r, id) != first })
	if err := r.SetRestart(t.Context(), id, sdk.RestartPolicy{}); err != nil {
		t.Fatal(err)
	}
	if err := signalGroup(leaderOf(t, r, id).PID, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if state := ended(t, r, id); state.Restarts != 1 || *state.ExitCode != killedExitCode {
		t.Errorf("state = %+v", state)
	}
	if err := r.SetRestart(t.Context(), newID("shop", "never"), always); !sdk.IsCode(err, sdk.CodeNotFound) {
		t.Errorf("SetRestart() of what isn't there = %v", err)
	}
}
