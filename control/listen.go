package control

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// listen makes the socket. One that is there already is from a process that was
// killed: the caller owns the project, so nobody listens on it.
func listen(path string) (net.Listener, error) {
	if err := ours(path, os.Getuid()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, socketError("%w", err)
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, socketError("%w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(socketError("%w", err), listener.Close())
	}
	return listener, nil
}

// ours fails for what isn't a socket of that user.
func ours(path string, uid int) error {
	info, err := os.Lstat(path)
	if err != nil {
		return socketError("%w", err)
	}
	if info.Mode().Type() != fs.ModeSocket {
		return socketError("%s is no socket: see what it is, and remove it", path)
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && int(owner.Uid) != uid {
		return socketError("%s belongs to user %d, not to you (%d): have it removed, or set XDG_RUNTIME_DIR to a folder of your own", path, owner.Uid, uid)
	}
	return nil
}

func socketError(format string, args ...any) error {
	return &sdk.Error{Code: sdk.CodeInvalid, Err: fmt.Errorf("the control socket: "+format, args...)}
}
