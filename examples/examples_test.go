package examples

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/docker/docker/client"

	"github.com/lightshuttle/lightshuttle/host/lifecycle"
)

// patience bounds one example: pulls, builds, start and stop.
const patience = 5 * time.Minute

const manifestName = "lightshuttle.yml"

// names are the examples: every folder with a manifest.
func names(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob("*/" + manifestName)
	if err != nil {
		t.Fatal(err)
	}
	for i, path := range found {
		found[i] = filepath.Dir(path)
	}
	return found
}

func TestEveryExampleIsDescribed(t *testing.T) {
	index, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	found := names(t)
	if len(found) < 7 {
		t.Errorf("there are only %d examples: %v", len(found), found)
	}
	for _, name := range found {
		if !bytes.Contains(index, []byte("("+name+"/)")) {
			t.Errorf("README.md doesn't mention %s", name)
		}
		readme, err := os.ReadFile(filepath.Join(name, "README.md"))
		if err != nil {
			t.Error(err)
			continue
		}
		if command := "lightshuttle up -f examples/" + name + "/" + manifestName; !bytes.Contains(readme, []byte(command)) {
			t.Errorf("%s/README.md lacks the command `%s`", name, command)
		}
	}
}

// An example's .env.example is a .env that works.
func TestEnvExamples(t *testing.T) {
	found, err := filepath.Glob("*/.env.example")
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		t.Fatal("no example has a .env.example")
	}
	for _, path := range found {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		env := filepath.Join(t.TempDir(), ".env")
		if err := os.WriteFile(env, data, 0o600); err != nil {
			t.Fatal(err)
		}
		run(t, "validate", "--strict", "--env-file", env, "-f", filepath.Join(filepath.Dir(path), manifestName))
	}
}

func TestExamples(t *testing.T) {
	engine := engineOf(t)
	for _, name := range names(t) {
		t.Run(name, func(t *testing.T) {
			path, project := copyOf(t, name)
			t.Cleanup(func() { cleanUp(t, engine, path, project) })
			up := start(t, path)
			up.waitUntilStarted(t)
			if left := leftOf(t, engine, project); len(left) == 0 {
				t.Error("the stack is up, yet nothing is there")
			}
			up.stop(t)
			if left := leftOf(t, engine, project); slices.ContainsFunc(left, isNoVolume) {
				t.Errorf("after the stop there is %v", left)
			}
			run(t, "down", "--volumes", "-f", path)
			if left := leftOf(t, engine, project); len(left) > 0 {
				t.Errorf("after down --volumes there is %v", left)
			}
		})
	}
}

func isNoVolume(thing string) bool { return !strings.HasPrefix(thing, "volume ") }

// copyOf copies an example to a folder of its own, under a project of its own,
// so that it meets neither another test nor a stack that somebody runs.
func copyOf(t *testing.T, name string) (path, project string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(name)); err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(dir, manifestName)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	project = uniqueProject(name)
	old, renamed := "  name: "+name+"\n", "  name: "+project+"\n"
	if !bytes.Contains(data, []byte(old)) {
		t.Fatalf("the project of the example %s isn't named %s", name, name)
	}
	if err := os.WriteFile(path, bytes.Replace(data, []byte(old), []byte(renamed), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	return path, project
}

func uniqueProject(name string) string { return name + "-" + strings.ToLower(rand.Text()[:8]) }

// cleanUp takes down what a failed test has left, and removes what was built.
func cleanUp(t *testing.T, engine *client.Client, path, project string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	output, err := exec.CommandContext(ctx, program, "down", "--volumes", "--grace", "1s", "-f", path).CombinedOutput()
	if err != nil {
		t.Errorf("down: %v\n%s", err, output)
	}
	if err := removeImages(ctx, engine, project); err != nil {
		t.Error(err)
	}
}

// run runs the program to its end, which must be a success.
func run(t *testing.T, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if output, err := exec.CommandContext(ctx, program, args...).CombinedOutput(); err != nil {
		t.Fatalf("lightshuttle %s: %v\n%s", strings.Join(args, " "), err, output)
	}
}

// up is a running `up`.
type up struct {
	command *exec.Cmd
	events  *bufio.Scanner
	stderr  bytes.Buffer
}

func start(t *testing.T, path string) *up {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	u := &up{command: exec.CommandContext(ctx, program, "up", "--json", "-f", path)}
	u.command.Cancel = func() error { return u.command.Process.Signal(syscall.SIGINT) }
	u.command.WaitDelay = time.Minute
	u.command.Stderr = &u.stderr
	stdout, err := u.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	u.events = bufio.NewScanner(stdout)
	if err := u.command.Start(); err != nil {
		t.Fatal(err)
	}
	return u
}

// waitUntilStarted reads events until the stack is up.
func (u *up) waitUntilStarted(t *testing.T) {
	t.Helper()
	var seen []string
	for u.events.Scan() {
		var event lifecycle.Event
		if err := json.Unmarshal(u.events.Bytes(), &event); err != nil {
			t.Errorf("not an event: %s", u.events.Bytes())
		}
		if event.Type == lifecycle.StackStarted {
			return
		}
		seen = append(seen, strings.TrimSpace(string(event.Type)+" "+event.Resource+" "+event.Error))
	}
	err := u.command.Wait()
	t.Fatalf("the stack didn't start: %v\n%s\nevents:\n%s", err, u.stderr.String(), strings.Join(seen, "\n"))
}

// stop does what Ctrl-C does, and waits for the end.
func (u *up) stop(t *testing.T) {
	t.Helper()
	if err := u.command.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	for u.events.Scan() {
		continue // the rest is of no interest, but has to be read
	}
	if err := u.command.Wait(); err != nil {
		t.Fatalf("the stop failed: %v\n%s", err, u.stderr.String())
	}
}

// The example of crashes, with a real one: the program is killed, and another
// one takes over what runs.
func TestL17NeverLost(t *testing.T) {
	engine := engineOf(t)
	path, project := copyOf(t, "never-lost")
	t.Cleanup(func() { cleanUp(t, engine, path, project) })
	up := start(t, path)
	up.waitUntilStarted(t)
	if err := up.command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = up.command.Wait() // it was killed
	cache := idOf(t, engine, project+".cache")
	run(t, "up", "-d", "-f", path)
	if again := idOf(t, engine, project+".cache"); again != cache {
		t.Errorf("the cache was replaced: %s, then %s", cache, again)
	}
	run(t, "down", "--volumes", "-p", project)
	if left := leftOf(t, engine, project); len(left) > 0 {
		t.Errorf("after down there is %v", left)
	}
}

func idOf(t *testing.T, engine *client.Client, name string) string {
	t.Helper()
	seen, err := engine.ContainerInspect(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return seen.ID
}
