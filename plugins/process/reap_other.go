//go:build unix && !linux

package process

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// Without subreapers and marks, what leaves its process group is on its own.

func adoptOrphans() error { return nil }

func diesWithParent(*syscall.SysProcAttr) {}

// reapNext reaps a child that has ended, and tells before of it right after: it
// can't be seen sooner. The pid is 0 if there is none.
func reapNext(before func(pid int)) (int, syscall.WaitStatus) {
	var how syscall.WaitStatus
	pid, err := syscall.Wait4(-1, &how, syscall.WNOHANG, nil)
	if err != nil || pid <= 0 {
		return 0, how
	}
	before(pid)
	return pid, how
}

func groupLives(group int) bool { return !errors.Is(unix.Kill(-group, 0), unix.ESRCH) }

// remains kills the groups of those who are being swept; nothing else of them
// is known here.
func (s *supervisor) remains() map[*child][]identity {
	for p := range s.sweeping {
		_ = signalGroup(p.pid, unix.SIGKILL)
	}
	return nil
}

// killLeft kills the groups of leaders that are still themselves.
func killLeft(left map[string]*child) error {
	for _, p := range left {
		if !p.status.Leader.lives() {
			continue
		}
		if err := signalGroup(p.status.Leader.PID, unix.SIGKILL); err != nil {
			return err
		}
	}
	return nil
}

func killStrays() {}
