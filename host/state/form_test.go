package state

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

func (s *Store) must(t *testing.T) {
	t.Helper()
	if err := s.Save(); err != nil {
		t.Fatal(err)
	}
}

// folderWith is a folder whose state is that text.
func folderWith(t *testing.T, text string) (dir, path string) {
	t.Helper()
	dir = t.TempDir()
	path = filepath.Join(dir, Dir, fileName)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
	return dir, path
}

func content(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestL17AllThatIsSavedIsThereAgain(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	run := Run{Manifest: "/shop/lightshuttle.yml", Runtime: "docker", PlanHash: "abc", Since: time.Now().UTC(), Detached: true}
	s.SetRun("shop", run)
	s.SetContainer("shop", "db", Container{ID: "id-1", Name: "shop.db", Labels: map[string]string{sdk.LabelHash: "h"}})
	s.SetStopped("shop", "db", "id-1")
	s.must(t)
	again := open(t, dir)
	if got, there := again.Run("shop"); !there || got != run {
		t.Errorf("Run() = %+v, %v", got, there)
	}
	if got := again.Containers("shop")["db"]; got.ID != "id-1" || got.Name != "shop.db" || got.Labels[sdk.LabelHash] != "h" {
		t.Errorf("Containers() = %+v", got)
	}
	if got := again.Stopped("shop", "db"); got != "id-1" {
		t.Errorf("Stopped() = %q", got)
	}
	again.SetPassword("shop", "db", "s3cret")
	again.Ended("shop")
	again.must(t)
	again = open(t, dir)
	if _, there := again.Run("shop"); there || len(again.Containers("shop")) > 0 || again.Stopped("shop", "db") != "" {
		t.Error("what has ended is still noted")
	}
	if again.Password("shop", "db") != "s3cret" {
		t.Error("the password is gone with what ran, but its data is still there")
	}
}

// What is brought up again without a change runs since it was brought up first.
func TestTheSameRunKeepsItsTime(t *testing.T) {
	s := open(t, t.TempDir())
	first := time.Now().Add(-time.Hour)
	s.SetRun("shop", Run{PlanHash: "a", Since: first})
	s.SetRun("shop", Run{PlanHash: "a", Since: time.Now()})
	if run, _ := s.Run("shop"); !run.Since.Equal(first) {
		t.Errorf("it runs since %s, want %s", run.Since, first)
	}
	s.SetRun("shop", Run{PlanHash: "b", Since: time.Now()})
	if run, _ := s.Run("shop"); run.Since.Equal(first) {
		t.Error("something else runs since then")
	}
}

func TestTheFirstFormIsRead(t *testing.T) {
	dir, path := folderWith(t, `{"version": 1, "projects": {"shop": {"passwords": {"db": "s3cret"}, "ports": {"db": 5433}}}}`)
	s := open(t, dir)
	if s.Password("shop", "db") != "s3cret" || s.Port("shop", "db") != 5433 {
		t.Errorf("it knows %q and %d", s.Password("shop", "db"), s.Port("shop", "db"))
	}
	s.SetPort("shop", "cache", 6380)
	s.must(t)
	var written struct{ Version int }
	if err := json.Unmarshal([]byte(content(t, path)), &written); err != nil || written.Version != version {
		t.Errorf("it was written in form %d, %v", written.Version, err)
	}
	if open(t, dir).Password("shop", "db") != "s3cret" {
		t.Error("the password is gone")
	}
}

// A newer program may add what this one doesn't know.
func TestUnknownFieldsSurvive(t *testing.T) {
	dir, path := folderWith(t, `{"version": 2, "novel": [1, 2], "projects": {
		"shop": {"passwords": {"db": "s3cret"}, "certificates": {"db": {"serial": 12345678901234567890}}},
		"other": {"novel": true}}}`)
	s := open(t, dir)
	s.SetPassword("shop", "cache", "another")
	s.Ended("other")
	s.must(t)
	text := content(t, path)
	for _, want := range []string{`"novel": [`, `"serial": 12345678901234567890`, `"another"`, `"s3cret"`, `"other": {`, `"novel": true`} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is gone:\n%s", want, text)
		}
	}
}

// Two programs that act on two projects of one folder at the same time.
func TestTwoWritersLoseNothingOfEachOther(t *testing.T) {
	dir := t.TempDir()
	const writers = 8
	done := make(chan error, writers)
	for i := range writers {
		name := string(rune('a' + i))
		store := open(t, dir) // all begin with the same, empty state
		go func() {
			var errs []error
			for _, resource := range []string{"one", "two", "three"} {
				store.SetPassword(name, resource, name+resource)
				errs = append(errs, store.Save())
			}
			done <- errors.Join(errs...)
		}()
	}
	for range writers {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	s := open(t, dir)
	for i := range writers {
		name := string(rune('a' + i))
		for _, resource := range []string{"one", "two", "three"} {
			if got := s.Password(name, resource); got != name+resource {
				t.Errorf("project %s has %q for %s", name, got, resource)
			}
		}
	}
}

func TestEarlierNamesOfAManifest(t *testing.T) {
	s := open(t, t.TempDir())
	for name, manifest := range map[string]string{"shop": "/a.yml", "store": "/a.yml", "kiosk": "/a.yml", "other": "/b.yml"} {
		s.SetRun(name, Run{Manifest: manifest})
	}
	s.SetPassword("never-up", "db", "x")
	if got := strings.Join(s.Earlier("shop", "/a.yml"), " "); got != "kiosk store" {
		t.Errorf("Earlier() = %q", got)
	}
	s.Ended("store")
	s.Forget("kiosk")
	if got := s.Earlier("shop", "/a.yml"); len(got) != 0 {
		t.Errorf("Earlier() = %v after they were taken down", got)
	}
}
