package state

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestWhatIsSavedIsThereAgain(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	s.SetPassword("shop", "db", "s3cret")
	s.SetPort("shop", "db", 5433)
	if err := s.Save(); err != nil {
		t.Fatal(err)
	}
	again := open(t, dir)
	if got := again.Password("shop", "db"); got != "s3cret" {
		t.Errorf("password = %q", got)
	}
	if got := again.Port("shop", "db"); got != 5433 {
		t.Errorf("port = %d", got)
	}
	if got := again.Password("other", "db"); got != "" {
		t.Errorf("another project's password = %q", got)
	}
	again.Forget("shop")
	if err := again.Save(); err != nil {
		t.Fatal(err)
	}
	if got := open(t, dir).Password("shop", "db"); got != "" {
		t.Errorf("a forgotten password = %q", got)
	}
}

func TestTheFileIsItsOwnersAlone(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	s.SetPassword("shop", "db", "s3cret")
	if err := s.Save(); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]fs.FileMode{"": 0o700, "state.json": 0o600} {
		info, err := os.Stat(filepath.Join(dir, Dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("mode of %q = %o, want %o", name, got, want)
		}
	}
	ignored, err := os.ReadFile(filepath.Join(dir, Dir, ".gitignore"))
	if err != nil || !strings.HasPrefix(string(ignored), "*\n") {
		t.Errorf(".gitignore = %q, %v", ignored, err)
	}
}

func TestNothingIsWrittenWithoutAChange(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	s.Password("shop", "db")
	if err := s.Save(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, Dir)); !os.IsNotExist(err) {
		t.Errorf("Stat() = %v, want nothing there", err)
	}
}
