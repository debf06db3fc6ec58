//go:build unix

package machine

import (
	"errors"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// ownGroup makes the program the leader of a new process group, so that its
// children can be ended with it, and a Ctrl-C in the terminal reaches only us.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func signalGroup(cmd *exec.Cmd, force bool) error {
	signal := syscall.SIGTERM
	if force {
		signal = syscall.SIGKILL
	}
	err := syscall.Kill(-cmd.Process.Pid, signal)
	if errors.Is(err, syscall.ESRCH) || errors.Is(err, syscall.EPERM) {
		return nil // all have ended
	}
	return err
}

func exitCode(failed *exec.ExitError) int {
	if status, ok := failed.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return failed.ExitCode()
}

// hunt is the killing of a group.
type hunt struct {
	// patience is how long the group has to obey before it is killed.
	patience time.Duration

	mu    sync.Mutex
	ended bool
	cmd   *exec.Cmd
	timer *time.Timer
}

func (h *hunt) begin(cmd *exec.Cmd) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.timer != nil || h.ended {
		return
	}
	h.cmd = cmd
	_ = signalGroup(cmd, false)
	h.timer = time.AfterFunc(h.patience, func() { _ = signalGroup(cmd, true) })
}

// end is called when the leader has ended: nobody of a group that was told to
// end may outlive it.
func (h *hunt) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = true
	if h.timer == nil {
		return
	}
	h.timer.Stop()
	_ = signalGroup(h.cmd, true)
}
