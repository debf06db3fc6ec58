//go:build unix && !linux

package process

import (
	"net"
	"os"
	"path/filepath"
)

const socketFile = "supervisor.sock"

func listenIn(dir string) (net.Listener, error) {
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, socketFile), Net: "unix"})
	if err != nil {
		return nil, err
	}
	listener.SetUnlinkOnClose(false)
	return listener, nil
}

func dialIn(dir string) (*net.UnixConn, error) {
	path := filepath.Join(dir, socketFile)
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	return net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
}
