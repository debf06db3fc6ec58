package state

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/lightshuttle/lightshuttle/sdk"
)

func TestStateThatIsNotUnderstoodIsRefusedAndKept(t *testing.T) {
	for name, test := range map[string]struct {
		text, want string
		damaged    bool
	}{
		"cut off":             {`{"version":1,`, "is damaged", true},
		"empty":               {``, "is damaged", true},
		"of another kind":     {`{"version":2,"projects":{"shop":{"ports":{"db":"many"}}}}`, "is damaged", true},
		"no port":             {`{"version":2,"projects":{"shop":{"ports":{"db":70000}}}}`, "is damaged", true},
		"an array":            {`[1, 2]`, "is damaged", true},
		"of something else":   {`{"compilerOptions":{}}`, "no state of LightShuttle's", true},
		"binary":              {"\x00\x01\x02", "is damaged", true},
		"of a newer program":  {`{"version":99}`, "written by a newer LightShuttle (form 99", false},
		"newer in everything": {`{"version":3,"projects":{"shop":{"passwords":{"db":"x"}}}}`, "written by a newer LightShuttle", false},
	} {
		t.Run(name, func(t *testing.T) {
			dir, path := folderWith(t, test.text)
			_, err := Open(dir)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("Open() = %v, want %q and the path", err, test.want)
			}
			if typed, ok := errors.AsType[*sdk.Error](err); !ok || typed.Hint == "" || typed.Code != sdk.CodeInvalid {
				t.Errorf("Open() = %#v, want a way out", err)
			}
			if _, damaged := errors.AsType[*DamagedError](err); damaged != test.damaged {
				t.Errorf("it is called damaged: %v", damaged)
			}
			if got := content(t, path); got != test.text {
				t.Errorf("the file was changed to %q", got)
			}
		})
	}
}

func TestAProjectThatIsNull(t *testing.T) {
	dir, _ := folderWith(t, `{"version":2,"projects":{"shop":null}}`)
	s := open(t, dir)
	s.SetPassword("shop", "db", "x")
	s.must(t)
	if open(t, dir).Password("shop", "db") != "x" {
		t.Error("it was not kept")
	}
}

func TestADamagedFileIsPutAside(t *testing.T) {
	const text = `{"version":1,"projects":{"shop":{"passwords":{"db":"s3cret"`
	dir, path := folderWith(t, text)
	s := OpenDamaged(dir)
	if got := content(t, path); got != text {
		t.Fatalf("it was changed before there was anything to write: %q", got)
	}
	s.SetPassword("shop", "db", "from the container")
	s.must(t)
	if got := open(t, dir).Password("shop", "db"); got != "from the container" {
		t.Errorf("the password is %q", got)
	}
	aside, err := filepath.Glob(path + ".damaged-*")
	if err != nil || len(aside) != 1 {
		t.Fatalf("%d files were put aside, %v", len(aside), err)
	}
	if got := content(t, aside[0]); got != text {
		t.Errorf("what was put aside is %q", got)
	}
	s.SetPassword("shop", "cache", "x")
	s.must(t)
	if again, _ := filepath.Glob(path + ".damaged-*"); len(again) != 1 {
		t.Errorf("%d files were put aside", len(again))
	}
}

func TestTheFileOfAnotherUserIsRefused(t *testing.T) {
	_, path := folderWith(t, `{"version":2}`)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := own(path, info, os.Getuid()); err != nil {
		t.Errorf("own() = %v", err)
	}
	err = own(path, info, os.Getuid()+1)
	if !sdk.IsCode(err, sdk.CodeInvalid) || !strings.Contains(err.Error(), "belongs to user") {
		t.Errorf("own() = %v", err)
	}
}

// A write that fails leaves what was there, and may be tried again.
func TestAFullDiskLosesNothing(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	s.SetPassword("shop", "db", "old")
	s.must(t)
	before := content(t, s.Path())

	s.SetPassword("shop", "db", "new")
	s.write = func(string, []byte) error { return &os.PathError{Op: "write", Path: s.Path(), Err: syscall.ENOSPC} }
	err := s.Save()
	typed, ok := errors.AsType[*sdk.Error](err)
	if !ok || !errors.Is(err, syscall.ENOSPC) || !strings.Contains(typed.Hint, "make room") {
		t.Errorf("Save() = %#v", err)
	}
	if !s.Needed() {
		t.Error("the password isn't needed any more")
	}
	if after := content(t, s.Path()); after != before {
		t.Errorf("the file is now %q", after)
	}
	s.write = writeFile
	s.must(t)
	if got := open(t, dir).Password("shop", "db"); got != "new" {
		t.Errorf("the password is %q", got)
	}
}

// Where the folder can't be written to, only what is needed is worth an error.
func TestWhatIsNeeded(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, Dir), nil, 0o600); err != nil { // a file where the folder would be
		t.Fatal(err)
	}
	s := &Store{path: filepath.Join(dir, Dir, fileName), changed: map[string]bool{}, write: writeFile}
	s.SetRun("shop", Run{Manifest: "/a.yml"})
	if s.Needed() {
		t.Error("what is brought up is only good to know")
	}
	if err := s.Save(); err == nil {
		t.Error("it was written all the same")
	}
	s.SetPort("shop", "db", 1234)
	if !s.Needed() {
		t.Error("a port is needed")
	}
}
