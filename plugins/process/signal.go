//go:build unix

package process

import (
	"errors"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// signalOf reads the name or number of a signal; empty means SIGTERM.
func signalOf(text string) (unix.Signal, bool) {
	if text == "" {
		return unix.SIGTERM, true
	}
	if number, err := strconv.Atoi(text); err == nil {
		return unix.Signal(number), number > 0 && number < 65
	}
	name := strings.ToUpper(text)
	if !strings.HasPrefix(name, "SIG") {
		name = "SIG" + name
	}
	number := unix.SignalNum(name)
	return number, number != 0
}

// signalGroup sends to all of a process group. The caller holds its leader,
// alive or not yet reaped, so that the number means no other group.
func signalGroup(leader int, signal unix.Signal) error {
	if leader <= 1 {
		return unix.EINVAL // that would be ourselves, or everybody
	}
	return ignoreGone(unix.Kill(-leader, signal))
}

func ignoreGone(err error) error {
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	return err
}
