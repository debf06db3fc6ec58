package examples

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/lightshuttle/lightshuttle/host/lifecycle"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// engines are the settings, as variables, that choose each of the engines;
// `make engines` puts them there. The first is what the others are compared with.
var engines = []struct {
	name string
	env  []string
}{
	{"docker", []string{"LIGHTSHUTTLE_RUNTIME=docker"}},
	{"nerdctl", []string{
		"LIGHTSHUTTLE_RUNTIME=nerdctl",
		"LIGHTSHUTTLE_RUNTIMES_NERDCTL_PATH=" + cmp.Or(os.Getenv("LIGHTSHUTTLE_TEST_NERDCTL"), "/var/lib/lightshuttle-engines/bin/nerdctl"),
	}},
	{"podman", []string{
		"LIGHTSHUTTLE_RUNTIME=podman",
		"LIGHTSHUTTLE_RUNTIMES_PODMAN_PATH=" + cmp.Or(os.Getenv("LIGHTSHUTTLE_TEST_PODMAN"), "/var/lib/lightshuttle-engines/bin/podman"),
	}},
	{"podman's socket", []string{
		"LIGHTSHUTTLE_RUNTIME=podman",
		"LIGHTSHUTTLE_RUNTIMES_PODMAN_HOST=" + cmp.Or(os.Getenv("LIGHTSHUTTLE_TEST_PODMAN_SOCKET"), "unix:///var/lib/lightshuttle-engines/podman/podman.sock"),
	}},
}

// seen is what a user sees of a stack, without what differs from run to run.
type seen struct {
	// events by resource, because independent resources take turns as they like.
	events map[string][]string
	ps     []string
	codes  []string
}

func (s seen) String() string {
	text, err := json.MarshalIndent(map[string]any{"events": s.events, "ps": s.ps, "codes": s.codes}, "", " ")
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func TestExamplesAreTheSameOnEveryEngine(t *testing.T) {
	for _, example := range []string{"full-stack", "never-lost", "migration", "redis-with-password", "slow-start", "hello-world"} {
		t.Run(example, func(t *testing.T) {
			wantTheSame(t, func(env []string) (seen, error) { return lookAt(t, example, env) })
		})
	}
}

// atATime is on how many engines something is done at the same time: four
// databases that begin at once are more than a small machine bears.
const atATime = 2

// wantTheSame does something on all engines, and compares.
func wantTheSame(t *testing.T, do func(env []string) (seen, error)) {
	t.Helper()
	all, errs := make([]seen, len(engines)), make([]error, len(engines))
	var doing errgroup.Group
	doing.SetLimit(atATime)
	for i, engine := range engines {
		doing.Go(func() error {
			all[i], errs[i] = do(engine.env)
			return nil
		})
	}
	_ = doing.Wait() // each error is told with its engine
	for i, engine := range engines {
		if errs[i] != nil {
			t.Errorf("%s: %v", engine.name, errs[i])
			continue
		}
		if got, want := all[i].String(), all[0].String(); got != want {
			t.Errorf("on %s:\n%s\non %s:\n%s", engine.name, got, engines[0].name, want)
		}
	}
}

// lookAt brings an example up, looks at it, and takes it down again.
func lookAt(t *testing.T, example string, env []string) (s seen, err error) {
	path, _ := copyOf(t, example)
	if env, readErr := os.ReadFile(filepath.Join(filepath.Dir(path), ".env.example")); readErr == nil {
		if err := os.WriteFile(filepath.Join(filepath.Dir(path), ".env"), env, 0o600); err != nil {
			return s, err
		}
	}
	defer func() {
		if output, downErr := programOn(t, env, "down", "--volumes", "-f", path).CombinedOutput(); downErr != nil {
			err = errors.Join(err, fmt.Errorf("down: %w\n%s", downErr, output))
		}
	}()
	err = s.up(programOn(t, env, "up", "--json", "-f", path), func(up *os.Process) error {
		var err error
		if s.ps, err = ps(t, env, path); err != nil {
			return err
		}
		return up.Signal(os.Interrupt)
	})
	return s, err
}

// up notes the events and the end of an `up --json`. Once the stack has started,
// started ends it.
func (s *seen) up(command *exec.Cmd, started func(*os.Process) error) error {
	var stderr bytes.Buffer
	command.Stderr = &stderr
	stdout, err := command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return err
	}
	s.events = map[string][]string{}
	hasStarted := false
	events := json.NewDecoder(stdout)
	for {
		var event lifecycle.Event
		if events.Decode(&event) != nil {
			break // it has ended
		}
		s.note(event)
		if event.Type != lifecycle.StackStarted {
			continue
		}
		hasStarted = true
		if err = started(command.Process); err != nil {
			_ = command.Process.Kill() // the error is what counts
		}
	}
	s.exit("up", command.Wait())
	if !hasStarted {
		return fmt.Errorf("the stack didn't start:\n%s", &stderr)
	}
	return err
}

func (s *seen) note(event lifecycle.Event) {
	text := string(event.Type)
	if event.Ready {
		text += " ready"
	}
	if event.ExitCode != nil {
		text += fmt.Sprintf(" code %d", *event.ExitCode)
	}
	s.events[event.Resource] = append(s.events[event.Resource], text)
}

// exit notes the exit code of a command.
func (s *seen) exit(what string, err error) {
	code := 0
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		code = failed.ExitCode()
	} else if err != nil {
		what += ": " + err.Error()
	}
	s.codes = append(s.codes, fmt.Sprintf("%s %d", what, code))
}

// ps are the rows of ps, without names, ids, times and host ports.
func ps(t *testing.T, env []string, path string) ([]string, error) {
	output, err := programOn(t, env, "ps", "--json", "-f", path).Output()
	if err != nil {
		return nil, fmt.Errorf("ps: %w", err)
	}
	var rows []struct {
		Resource string
		State    string
		Ready    bool
		Ports    []sdk.PortBinding
		ExitCode *int `json:"exit_code"`
	}
	if err := json.Unmarshal(output, &rows); err != nil {
		return nil, err
	}
	var texts []string
	for _, row := range rows {
		text := fmt.Sprintf("%s %s ready %t", row.Resource, row.State, row.Ready)
		for _, port := range row.Ports {
			text += fmt.Sprintf(" %s %d/%s", port.HostIP, port.ContainerPort, port.Protocol)
		}
		if row.ExitCode != nil {
			text += fmt.Sprintf(" code %d", *row.ExitCode)
		}
		texts = append(texts, text)
	}
	return texts, nil
}

func programOn(t *testing.T, env []string, args ...string) *exec.Cmd {
	command := exec.CommandContext(t.Context(), program, args...)
	command.Env = append(os.Environ(), env...)
	return command
}

// What a stack and its commands end with is the same, too.
func TestExitCodesAreTheSameOnEveryEngine(t *testing.T) {
	wantTheSame(t, func(env []string) (seen, error) {
		var s seen
		path, err := writeStack(t, "sleep 1000")
		if err != nil {
			return s, err
		}
		for _, args := range [][]string{
			{"up", "-d"},
			{"exec", "main", "--", "sh", "-c", "exit 7"},
			{"exec", "nobody", "--", "true"},
			{"restart", "main"},
			{"stop", "main"},
			{"start", "main"},
			{"up", "-d"},
			{"down"},
			{"down"},
		} {
			s.exit(strings.Join(args, " "), programOn(t, env, append([]string{"-f", path}, args...)...).Run())
		}
		for _, script := range []string{"exit 3", "kill -9 $$"} {
			failing, err := writeStack(t, script)
			if err != nil {
				return s, err
			}
			s.exit("up of "+script, programOn(t, env, "up", "-f", failing).Run())
		}
		ending, err := writeStack(t, "until [ -e /over ]; do sleep 0.1; done; exit 9")
		if err != nil {
			return s, err
		}
		err = s.up(programOn(t, env, "up", "--json", "--abort-on-exit", "-f", ending), func(*os.Process) error {
			return programOn(t, env, "-f", ending, "exec", "main", "--", "touch", "/over").Run()
		})
		return s, err
	})
}

func writeStack(t *testing.T, script string) (string, error) {
	path := filepath.Join(t.TempDir(), manifestName)
	text := fmt.Sprintf("project: {name: %s}\nresources:\n  main: {container: {image: \"busybox:1.36\", command: [sh, -c, %q], stop_signal: SIGKILL, stable_for: 500ms}}\n", uniqueProject("codes"), script)
	return path, os.WriteFile(path, []byte(text), 0o600)
}
