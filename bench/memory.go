package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// Linux tells two peaks of a process's resident memory. What a wait returns
// (ru_maxrss) begins with the peak of the process that forked it: a program
// that takes less than the harness would seem to take as much as the harness.
// What /proc tells (VmHWM) is the program's own, but only while it lives.

// livingPeak is the peak of a process that is still there, in bytes.
func livingPeak(pid int) (int64, error) {
	file, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	defer file.Close()
	return highWater(file)
}

// highWater finds the peak in the status of a process.
func highWater(status io.Reader) (int64, error) {
	lines := bufio.NewScanner(status)
	for lines.Scan() {
		rest, ok := strings.CutPrefix(lines.Text(), "VmHWM:")
		if !ok {
			continue
		}
		var kib int64
		_, err := fmt.Sscanf(rest, "%d kB", &kib)
		return kib * 1024, err
	}
	return 0, errors.Join(errors.New("the status of the process has no VmHWM"), lines.Err())
}

// endedPeak is the peak of a process that has ended, in bytes. It is an error
// if it can't be told from the harness's own.
func endedPeak(command *exec.Cmd) (int64, error) {
	usage, ok := command.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0, errors.New("this system doesn't tell the memory of a process that has ended")
	}
	own, err := livingPeak(os.Getpid())
	if err != nil {
		return 0, err
	}
	peak := usage.Maxrss * 1024
	if peak <= own {
		return 0, fmt.Errorf("%s took less memory than the harness (%d bytes), so its peak isn't known", command.Path, own)
	}
	return peak, nil
}
