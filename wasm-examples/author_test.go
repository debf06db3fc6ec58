//go:build conformance

package examples

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestAnAuthorsFirstProject goes the way of docs/write-a-runtime.md: a new
// project builds, and passes the core level on docker, by the program alone.
func TestAnAuthorsFirstProject(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	work := t.TempDir()
	program := filepath.Join(work, "lightshuttle")
	list := filepath.Join(work, "settings", "lightshuttle", "plugins.yaml")
	do := func(name string, args ...string) string {
		t.Helper()
		command := exec.CommandContext(t.Context(), name, args...)
		command.Dir = work
		command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-mod=mod", "XDG_CONFIG_HOME="+filepath.Join(work, "settings"), "XDG_STATE_HOME="+filepath.Join(work, "state"))
		output, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %s: %v\n%s", filepath.Base(name), strings.Join(args, " "), err, output)
		}
		return string(output)
	}
	do("go", "build", "-C", root, "-o", program, "./cmd/lightshuttle")
	do("sh", "-c", program+" plugin test-image | docker load")
	for name, args := range map[string][]string{
		"in-go": {"--lang", "go", "--replace", root},
		"in-c":  {"--lang", "c"},
	} {
		do(program, append([]string{"plugin", "new", name}, args...)...)
		do("make", "-C", name)
		file := filepath.Join(name, name+".wasm")
		os.RemoveAll(list) // one plugin at a time
		do(program, "plugin", "trust", file, "--program", "engine=docker")
		patient(t, list)
		said := do(program, "plugin", "test", file, "--timeout", "5m")
		if !strings.Contains(said, name+", level core: ") {
			t.Errorf("plugin test said\n%s", said)
		}
	}
}

// patient gives a plugin that is trusted more time to compile: a busy machine is
// no failure.
func patient(t *testing.T, list string) {
	t.Helper()
	content, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	limits := "    limits: {compile: 10m}\n    grants:"
	if err := os.WriteFile(list, []byte(strings.ReplaceAll(string(content), "    grants:", limits)), 0o600); err != nil {
		t.Fatal(err)
	}
}
