//go:build !unix

package machine

import (
	"os/exec"
	"time"
)

// Where there are no process groups, the program alone is killed.
func ownGroup(*exec.Cmd) {}

func signalGroup(cmd *exec.Cmd, _ bool) error { return cmd.Process.Kill() }

func exitCode(failed *exec.ExitError) int { return failed.ExitCode() }

type hunt struct{ patience time.Duration }

func (h *hunt) begin(cmd *exec.Cmd) { _ = cmd.Process.Kill() }

func (h *hunt) end() {}
