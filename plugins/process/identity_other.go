//go:build unix && !linux

package process

import (
	"strconv"

	"github.com/shirou/gopsutil/v4/process"
	"golang.org/x/sys/unix"
)

// identify finds the process that has this pid now.
func identify(pid int) (identity, error) {
	p, err := process.NewProcess(int32(pid)) //nolint:gosec // a pid fits
	if err != nil {
		return identity{}, err
	}
	created, err := p.CreateTime()
	if err != nil {
		return identity{}, err
	}
	return identity{PID: pid, Start: strconv.FormatInt(created, 10)}, nil
}

// lives says whether the very process is still there.
func (i identity) lives() bool {
	if i.PID == 0 {
		return false
	}
	now, err := identify(i.PID)
	return err == nil && now == i
}

// kill kills the very process, and no other that got its pid.
func (i identity) kill() error {
	if !i.lives() {
		return nil
	}
	return ignoreGone(unix.Kill(i.PID, unix.SIGKILL))
}
