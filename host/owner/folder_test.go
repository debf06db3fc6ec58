package owner

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/lightshuttle/lightshuttle/sdk"
)

func TestOpenRefusesAFolderThatOthersPrepared(t *testing.T) {
	for name, test := range map[string]struct {
		prepare func(t *testing.T, path string)
		want    string
	}{
		"writable for others": {func(t *testing.T, path string) {
			must(t, os.Mkdir(path, 0o700))
			must(t, os.Chmod(path, 0o777))
		}, "others may write into"},
		"writable for the group": {func(t *testing.T, path string) {
			must(t, os.Mkdir(path, 0o700))
			must(t, os.Chmod(path, 0o770))
		}, "others may write into"},
		"a link": {func(t *testing.T, path string) { must(t, os.Symlink(t.TempDir(), path)) }, "is not a folder but a symbolic link: remove it"},
		"a file": {func(t *testing.T, path string) { must(t, os.WriteFile(path, nil, 0o600)) }, "is not a folder but a file: remove it"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(runtimeFolder(t), "lightshuttle")
			test.prepare(t, path)
			_, err := Open()
			if !sdk.IsCode(err, sdk.CodeInvalid) || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("Open() = %v, want %q", err, test.want)
			}
		})
	}
}

func TestOpenRefusesTheFolderOfAnotherUser(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lightshuttle")
	must(t, os.Mkdir(path, 0o700))
	// The same whoever runs the test: the folder is of somebody else than uid.
	err := private(path, os.Getuid()+1)
	if !sdk.IsCode(err, sdk.CodeInvalid) || !strings.Contains(err.Error(), "belongs to user "+strconv.Itoa(os.Getuid())) || !strings.Contains(err.Error(), "XDG_RUNTIME_DIR") {
		t.Errorf("private() = %v", err)
	}
}

func TestOpenTightensItsOwnFolder(t *testing.T) {
	path := filepath.Join(runtimeFolder(t), "lightshuttle")
	must(t, os.Mkdir(path, 0o755))
	open(t)
	info, err := os.Stat(path)
	must(t, err)
	if mode := info.Mode().Perm(); mode != 0o700 {
		t.Errorf("its mode is %o", mode)
	}
}

func TestOpenWithoutARuntimeFolderUsesTheTemporaryOne(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	for _, base := range []string{"", "relative", filepath.Join(temporary, "missing")} {
		t.Setenv("XDG_RUNTIME_DIR", base)
		if isDir(filepath.Join("/run/user", strconv.Itoa(os.Getuid()))) {
			if got := runtimeDir(os.Getuid()); got != filepath.Join("/run/user", strconv.Itoa(os.Getuid())) {
				t.Errorf("the folder is %q", got)
			}
			continue
		}
		if got, want := open(t).path, filepath.Join(temporary, "lightshuttle-"+strconv.Itoa(os.Getuid())); got != want {
			t.Errorf("the folder is %q, want %q", got, want)
		}
	}
}

func TestSocketIsAlwaysShortEnough(t *testing.T) {
	const longest = "a2345678901234567890123456789012"
	base := "/" + strings.Repeat("d", 20)
	for _, test := range []struct {
		folder string
		want   string
	}{
		{base, base + "/" + longest + ".sock"},
		{base + strings.Repeat("d", 50), "the folder's own, hashed"},
		{base + strings.Repeat("d", 200), "the short folder"},
	} {
		short := t.TempDir()
		if len(short) > 70 {
			short = "/tmp"
		}
		folder := Folder{path: test.folder, short: short}
		if short == "/tmp" {
			dir, err := os.MkdirTemp("", "s") //nolint:usetesting // the path of a socket has to be short
			must(t, err)
			t.Cleanup(func() { _ = os.RemoveAll(dir) })
			folder.short = dir
		}
		got, err := folder.Socket(longest)
		must(t, err)
		if len(got) > socketPathMost {
			t.Errorf("%s has %d bytes", got, len(got))
		}
		if again, _ := folder.Socket(longest); again != got {
			t.Errorf("it is %s, and then %s", got, again)
		}
		if other, _ := folder.Socket(longest[1:]); other == got {
			t.Errorf("two projects have the socket %s", got)
		}
		switch test.want {
		case "the folder's own, hashed":
			if filepath.Dir(got) != test.folder {
				t.Errorf("%s isn't in %s", got, test.folder)
			}
		case "the short folder":
			if filepath.Dir(got) != folder.short {
				t.Errorf("%s isn't in %s", got, folder.short)
			}
		default:
			if got != test.want {
				t.Errorf("Socket() = %s, want %s", got, test.want)
			}
		}
	}
}
