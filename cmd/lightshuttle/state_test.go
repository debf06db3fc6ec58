package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// serverStack is a stack whose database has all that gets chosen for one.
func serverStack(t *testing.T) *testStack {
	s := newStack(t, "")
	s.write("\n\tdb:\n\t\tpostgres: {volume: true, healthcheck: {test: [pg_isready, -h, 127.0.0.1], start_period: 5m}}\n")
	return s
}

func (s *testStack) statePath() string { return filepath.Join(s.dir, ".lightshuttle", "state.json") }

func TestL17LostStateIsReadBackFromTheEngine(t *testing.T) {
	for name, lose := range map[string]func(*testStack){
		"lost":    func(s *testStack) { must(os.RemoveAll(filepath.Dir(s.statePath()))) },
		"damaged": func(s *testStack) { must(os.WriteFile(s.statePath(), []byte(`{"version":2,"projects":{"sh`), 0o600)) },
	} {
		t.Run(name, func(t *testing.T) {
			s := serverStack(t)
			s.run("up", "-d").exited(0)
			before, db := s.run("env", "db", "--reveal").exited(0).stdout, s.container("db").ID
			lose(s)
			r := s.run("up", "-d").exited(0).says("db: its generated password was lost, and is read back from its container")
			if s.container("db").ID != db {
				t.Errorf("what runs was not left alone:\n%s", r.stderr)
			}
			if after := s.run("env", "db", "--reveal").exited(0).stdout; after != before {
				t.Errorf("the environment was\n%s\nand is\n%s", before, after)
			}
			aside, _ := filepath.Glob(s.statePath() + ".damaged-*")
			if name == "damaged" && len(aside) != 1 {
				t.Errorf("%d files were put aside:\n%s", len(aside), r.stderr)
			}
			s.run("down", "--volumes").exited(0)
		})
	}
}

// Only the data knows the password: a new one would lock its owner out.
func TestL17APasswordThatOnlyTheDataKnowsIsNotReplaced(t *testing.T) {
	s := serverStack(t)
	s.run("up", "-d").exited(0)
	s.run("down").exited(0)
	kept := s.read(".lightshuttle/state.json")
	must(os.Remove(s.statePath()))
	s.run("up", "-d").exited(1).says("db: its volume "+s.project+"_db_data is there, but the password", s.statePath(), "set `password`", "`lightshuttle down --volumes`")
	if left := s.left(); len(left) != 1 || !strings.HasPrefix(left[0], "volume ") {
		t.Errorf("there is %v", left)
	}
	must(os.WriteFile(s.statePath(), []byte(kept[:len(kept)/2]), 0o600))
	s.run("up", "-d").exited(1).says("is damaged", "its volume "+s.project+"_db_data is there")
	if now := s.read(".lightshuttle/state.json"); now != kept[:len(kept)/2] {
		t.Errorf("the damaged file was changed to %s", now)
	}
	// The ways out: the file comes back, or the data goes.
	must(os.WriteFile(s.statePath(), []byte(kept), 0o600))
	s.run("up", "-d").exited(0)
	must(os.WriteFile(s.statePath(), []byte("damaged"), 0o600))
	s.run("down", "--volumes").exited(0).says("can't be read")
	must(os.Remove(s.statePath()))
	s.run("up", "-d").exited(0)
	s.run("down", "--volumes").exited(0)
}

func TestStateOfANewerProgramIsRefused(t *testing.T) {
	s := newStack(t, twoThatRun)
	s.file(".lightshuttle/state.json", `{"version":99,"projects":{}}`)
	s.run("up").exited(1).says("was written by a newer LightShuttle", "hint: use that one")
	s.run("ps").exited(0)
	s.run("down").exited(0)
	if now := s.read(".lightshuttle/state.json"); now != `{"version":99,"projects":{}}` {
		t.Errorf("the file was changed to %s", now)
	}
}

func TestAProjectThatWasRenamedWhileItRan(t *testing.T) {
	s := newStack(t, twoThatRun)
	old := s.project
	s.run("up", "-d").exited(0)
	s.project = old + "-new"
	s.write(twoThatRun)
	hint := "this manifest's project was called " + old + " before, and its containers are still there (app, db): `lightshuttle down -p " + old + "` removes them"
	s.run("ps").exited(0).says(hint)
	s.run("up", "-d").exited(0).says(hint)
	s.run("down").exited(0).says(hint)
	s.run("down", "-p", old).exited(0)
	if r := s.run("ps").exited(0); strings.Contains(r.stderr, "was called") {
		t.Errorf("it still says so:\n%s", r.stderr)
	}
	s.wantNothingLeft()
	s.project = old
}

// mounted puts a file system of 128 KiB at the stack's folder, with the manifest
// in it. It needs root, as the engine does.
func (s *testStack) mounted() {
	s.t.Helper()
	text := s.read("lightshuttle.yml")
	must(syscall.Mount("tmpfs", s.dir, "tmpfs", 0, "size=128k"))
	s.t.Cleanup(func() { must(syscall.Unmount(s.dir, syscall.MNT_DETACH)) })
	s.file("lightshuttle.yml", text)
}

// A read-only folder is no obstacle, as long as nothing has to be kept in it.
func TestAReadOnlyProjectFolder(t *testing.T) {
	s := newStack(t, twoThatRun)
	s.mounted()
	database := strings.Replace(s.read("lightshuttle.yml"), "resources:", "resources:\n  secret: {postgres: {}}", 1)
	s.file("with-database.yml", database)
	must(syscall.Mount("", s.dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
	s.run("up", "-d").exited(0).says("could not be kept")
	s.run("restart", "app").exited(0)
	s.run("down").exited(0)
	s.run("up", "-d", "-f", "with-database.yml").exited(1).says("read-only file system", "hint: what is generated for the project has to be kept")
	s.wantNothingLeft()
}

func TestAFullDisk(t *testing.T) {
	s := serverStack(t)
	s.mounted()
	s.run("up", "-d").exited(0)
	s.run("down", "--volumes").exited(0)
	fill := exec.Command("sh", "-c", "cat /dev/zero > filler; exit 0")
	fill.Dir = s.dir
	must(fill.Run())
	s.run("up", "-d").exited(1).says("no space left on device", "hint: make room")
	s.wantNothingLeft()
	must(os.Remove(filepath.Join(s.dir, "filler")))
	s.run("up", "-d").exited(0)
	// With the password kept, a full disk is none of a running stack's business.
	again := exec.Command("sh", "-c", "cat /dev/zero > filler; exit 0")
	again.Dir = s.dir
	must(again.Run())
	db := s.container("db").ID
	s.run("up", "-d").exited(0)
	if s.container("db").ID != db {
		t.Error("what runs was not left alone")
	}
	must(os.Remove(filepath.Join(s.dir, "filler")))
	s.run("down", "--volumes").exited(0)
}
