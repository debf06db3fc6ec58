package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// bootID identifies this run of the system.
var bootID = sync.OnceValue(func() string {
	data, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
})

// identify finds the process that has this pid now.
func identify(pid int) (identity, error) {
	line, err := readStat(pid)
	if err != nil {
		return identity{}, err
	}
	return identity{PID: pid, Start: line.start, Boot: bootID()}, nil
}

// lives says whether the very process is still there, be it as a zombie.
func (i identity) lives() bool {
	if i.PID == 0 {
		return false
	}
	now, err := identify(i.PID)
	return err == nil && now == i
}

// stat is a line of /proc/<pid>/stat.
type stat struct {
	pid, parent, group, session int
	zombie                      bool
	start                       string
}

// The fields of a stat line, counted from the one after the name.
const (
	statState, statParent, statGroup, statSession, statStart = 0, 1, 2, 3, 19
)

func readStat(pid int) (stat, error) {
	var buffer [1024]byte
	data, err := readProc("/proc/"+strconv.Itoa(pid)+"/stat", buffer[:])
	if err != nil {
		return stat{}, err
	}
	// The name stands in parentheses and may contain anything, also those.
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	if len(fields) <= statStart {
		return stat{}, fmt.Errorf("unexpected line %q", data)
	}
	line := stat{pid: pid, start: fields[statStart], zombie: fields[statState] == "Z" || fields[statState] == "X"}
	for field, into := range map[int]*int{statParent: &line.parent, statGroup: &line.group, statSession: &line.session} {
		if *into, err = strconv.Atoi(fields[field]); err != nil {
			return stat{}, err
		}
	}
	return line, nil
}

// readProc reads a file of /proc that fits into the buffer. The package os would
// try to have the file polled, which costs more than to read it.
func readProc(path string, buffer []byte) ([]byte, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer func() { _ = unix.Close(fd) }()
	for {
		n, err := unix.Read(fd, buffer)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		return buffer[:max(n, 0)], err
	}
}

// kill kills the very process, and no other that got its pid.
func (i identity) kill() error {
	fd, err := unix.PidfdOpen(i.PID, 0)
	if errors.Is(err, unix.ENOSYS) && i.lives() {
		return ignoreGone(unix.Kill(i.PID, unix.SIGKILL)) // an old kernel has nothing better
	}
	if err != nil {
		return ignoreGone(err)
	}
	defer func() { _ = unix.Close(fd) }()
	if !i.lives() {
		return nil
	}
	return ignoreGone(unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0))
}
