package owner

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Folder is where the locks and sockets of one user's projects are.
type Folder struct {
	path string
	// short is for sockets whose path would be too long in path.
	short string
}

// Open makes sure that the user's folder is there: lightshuttle in
// XDG_RUNTIME_DIR, or in the system's own folder for that user, else
// lightshuttle-UID in the temporary folder. It refuses a folder that others
// could have prepared, with CodeInvalid.
func Open() (Folder, error) {
	uid := os.Getuid()
	f := Folder{short: filepath.Join("/tmp", "lightshuttle-"+strconv.Itoa(uid))}
	if base := runtimeDir(uid); base != "" {
		f.path = filepath.Join(base, "lightshuttle")
	} else {
		f.path = filepath.Join(os.TempDir(), "lightshuttle-"+strconv.Itoa(uid))
	}
	return f, private(f.path, uid)
}

// runtimeDir is the folder that the system keeps for what lives as long as a
// user's session. A program that isn't started from a login, such as a cron job,
// isn't told of it but has to find the same one.
func runtimeDir(uid int) string {
	own := os.Getenv("XDG_RUNTIME_DIR")
	if filepath.IsAbs(own) && isDir(own) {
		return own
	}
	if system := filepath.Join("/run/user", strconv.Itoa(uid)); isDir(system) {
		return system
	}
	return ""
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// private makes the folder, or verifies that the one that is there is the
// user's alone.
func private(path string, uid int) error {
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return refused("%w", err)
	}
	info, err := os.Lstat(path)
	if err != nil {
		return refused("%w", err)
	}
	if !info.IsDir() {
		return refused("%s is not a folder but %s: remove it", path, kindOf(info.Mode()))
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && int(owner.Uid) != uid {
		return refused("%s belongs to user %d, not to you (%d): have its owner remove it, or set XDG_RUNTIME_DIR to a folder of your own", path, owner.Uid, uid)
	}
	mode := info.Mode().Perm()
	if mode&0o022 != 0 {
		return refused("others may write into %s (mode %04o), so what is in it can't be trusted: remove it, or `chmod 700` it once you have looked what is in it", path, mode)
	}
	if mode&0o077 == 0 {
		return nil
	}
	if err := os.Chmod(path, 0o700); err != nil {
		return refused("%w", err)
	}
	return nil
}

func kindOf(mode fs.FileMode) string {
	if mode&fs.ModeSymlink != 0 {
		return "a symbolic link"
	}
	return "a file"
}

func refused(format string, args ...any) error {
	return &sdk.Error{Code: sdk.CodeInvalid, Err: fmt.Errorf("the folder for locks and sockets: "+format, args...)}
}

// socketPathMost is the longest path of a socket that every system takes.
const socketPathMost = 103

// Socket is the path of the project's control socket. It always is the same for
// a project, and short enough. It fails when the folder that a long one is put
// into can't be used.
func (f Folder) Socket(project string) (string, error) {
	if path := filepath.Join(f.path, project+".sock"); len(path) <= socketPathMost {
		return path, nil
	}
	sum := sha256.Sum256([]byte(f.path + "\x00" + project))
	name := hex.EncodeToString(sum[:8]) + ".sock"
	if path := filepath.Join(f.path, name); len(path) <= socketPathMost {
		return path, nil
	}
	return filepath.Join(f.short, name), private(f.short, os.Getuid())
}

func (f Folder) lock(project string) string { return filepath.Join(f.path, project+".lock") }
func (f Folder) info(project string) string { return filepath.Join(f.path, project+".json") }
