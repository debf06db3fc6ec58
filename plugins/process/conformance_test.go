//go:build unix

package process

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/conformance"
)

// TestConformance is the contract, on this machine.
func TestConformance(t *testing.T) {
	program := filepath.Join(t.TempDir(), "workload")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "github.com/lightshuttle/lightshuttle/scripts/images/tiny")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		t.Fatal(err)
	}
	r := open(t)
	group := func(signal unix.Signal) func(context.Context, string) error {
		return func(_ context.Context, id string) error {
			return signalGroup(leaderOf(t, r, id).PID, signal)
		}
	}
	conformance.Test(t, conformance.Target{
		Name: "process", Runtime: r, Level: conformance.Full, HostNetwork: true,
		Workload: func(args ...string) sdk.Spec { return sdk.Spec{Command: append([]string{program}, args...)} },
		Program:  []string{program},
		Exclusions: map[string]string{
			"level/Networker":    "processes share the machine's network",
			"level/Preparer":     "processes have no images",
			"level/Volumer":      "processes share the machine's files",
			"start/name-foreign": "a process's name is known to its own project alone; nothing else on the machine is named by it",
			"ports/loopback":     "nothing stands between a process and the addresses on which it listens",
			"watch/health":       "nobody but the program checks a process",
		},
		Outside: conformance.Outside{
			Leftovers: func(_ context.Context, project string) ([]string, error) { return idsIn(r.projectDir(project)), nil },
			Pause:     group(unix.SIGSTOP),
			Unpause:   group(unix.SIGCONT),
		},
	})
}
