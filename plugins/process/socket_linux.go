package process

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
)

const socketFile = "supervisor.sock"

// A socket's address holds about a hundred bytes, which a home folder can use
// up. Through a file descriptor the path is always short.

func listenIn(dir string) (net.Listener, error) {
	folder, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: through(folder), Net: "unix"})
	if err != nil {
		return nil, err
	}
	listener.SetUnlinkOnClose(false) // by then the descriptor means nothing
	return listener, nil
}

func dialIn(dir string) (*net.UnixConn, error) {
	if _, err := os.Stat(filepath.Join(dir, socketFile)); err != nil {
		return nil, err
	}
	folder, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	return net.DialUnix("unix", nil, &net.UnixAddr{Name: through(folder), Net: "unix"})
}

func through(folder *os.File) string {
	return filepath.Join("/proc/self/fd", strconv.Itoa(int(folder.Fd())), socketFile)
}
