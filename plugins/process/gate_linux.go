package process

import (
	"bufio"
	"bytes"
	"errors"
	"io/fs"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// bindAhead lets a socket have the address of a network that isn't up yet:
// podman has it come up with the first container and go with the last.
func bindAhead(_, _ string, conn syscall.RawConn) error {
	var failed error
	if err := conn.Control(func(descriptor uintptr) {
		failed = unix.SetsockoptInt(int(descriptor), unix.IPPROTO_IP, unix.IP_FREEBIND, 1)
	}); err != nil {
		return err
	}
	return failed
}

// listens says whether anybody listens on a TCP port of this machine. The kernel
// is asked: a connection made to find out would be one that the process sees.
func listens(port uint16) (bool, error) {
	for _, table := range []string{"/proc/self/net/tcp", "/proc/self/net/tcp6"} {
		found, err := listensIn(table, port)
		if found || err != nil && !errors.Is(err, fs.ErrNotExist) {
			return found, err
		}
	}
	return false, nil
}

// stateListen is that of a listening socket in the kernel's table.
const stateListen = "0A"

// listensIn reads lines such as
//
//	0: 0100007F:1F90 00000000:0000 0A …
func listensIn(table string, port uint16) (bool, error) {
	file, err := os.Open(table)
	if err != nil {
		return false, err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		fields := bytes.Fields(lines.Bytes())
		if len(fields) < 4 || string(fields[3]) != stateListen {
			continue
		}
		local := fields[1]
		number, err := strconv.ParseUint(string(local[bytes.LastIndexByte(local, ':')+1:]), 16, 16)
		if err == nil && uint16(number) == port {
			return true, nil
		}
	}
	return false, lines.Err()
}
