package nerdctl

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lightshuttle/lightshuttle/host/machine"
	"github.com/lightshuttle/lightshuttle/sdk"
)

const (
	tiny    = "lightshuttle-test/tiny:5"
	tinyhc  = "lightshuttle-test/tinyhc:5"
	busybox = "busybox:1.36"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// engines are the programs that these tests run for real; `make engines` puts
// them there.
var engines = map[string]string{
	"nerdctl": cmp.Or(os.Getenv("LIGHTSHUTTLE_TEST_NERDCTL"), "/var/lib/lightshuttle-engines/bin/nerdctl"),
	"podman":  cmp.Or(os.Getenv("LIGHTSHUTTLE_TEST_PODMAN"), "/var/lib/lightshuttle-engines/bin/podman"),
	"docker":  "docker",
}

// onEngines runs a test on each of the engines, or on those that are named.
func onEngines(t *testing.T, test func(t *testing.T, s *stage), names ...string) {
	t.Helper()
	if len(names) == 0 {
		names = []string{"nerdctl", "podman", "docker"}
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) { test(t, newStage(t, engines[name])) })
	}
}

// stage is a project of its own on a real engine, which leaves nothing behind.
type stage struct {
	*Runtime
	project string
}

func newStage(t *testing.T, program string) *stage {
	t.Helper()
	host := machine.New(machine.Options{Pass: []string{"DOCKER_*", "NERDCTL_*", "CONTAINER*", "XDG_*"}})
	r, err := Open(Options{Program: program, Host: host})
	must(t, err)
	s := &stage{Runtime: r, project: "t" + strings.ToLower(rand.Text()[:10])}
	t.Cleanup(func() {
		s.clean(t)
		must(t, r.Close())
		must(t, host.Close())
	})
	if _, err := r.Ping(t.Context()); err != nil {
		t.Fatalf("these tests need the engines: run `make engines` (%v)", err)
	}
	return s
}

func (s *stage) clean(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	left, err := s.List(ctx, s.project)
	must(t, err)
	for _, one := range left {
		must(t, s.Remove(ctx, one.ID))
	}
	must(t, s.RemoveNetwork(ctx, s.network()))
	volumes, err := s.ListVolumes(ctx, s.project)
	must(t, err)
	for _, left := range volumes {
		must(t, s.RemoveVolume(ctx, left))
	}
}

func (s *stage) network() sdk.Network {
	return sdk.Network{Name: s.project + "_net", Project: s.project, Labels: map[string]string{"extra": "a b"}}
}

// spec is a container that serves until it is told to stop.
func (s *stage) spec(resource string, command ...string) sdk.Spec {
	if len(command) == 0 {
		command = []string{"serve"}
	}
	return sdk.Spec{
		Project: s.project, Resource: resource, Name: s.project + "." + resource, Image: tiny, Command: command,
		Labels: map[string]string{sdk.LabelProject: s.project, sdk.LabelResource: resource, sdk.LabelRun: "run1"},
	}
}

// script is a container that runs a shell script.
func (s *stage) script(resource, script string) sdk.Spec {
	spec := s.spec(resource, "sh", "-c", script)
	spec.Image = busybox
	return spec
}

func (s *stage) start(t *testing.T, spec sdk.Spec) string {
	t.Helper()
	id, err := s.Start(t.Context(), spec)
	must(t, err)
	return id
}

// finished starts the container and waits for its end.
func (s *stage) finished(t *testing.T, spec sdk.Spec) string {
	t.Helper()
	id := s.start(t, spec)
	s.await(t, id, func(state sdk.State) bool { return state.Ended() })
	return id
}

// await looks until what it sees is as wanted.
func (s *stage) await(t *testing.T, id string, wanted func(sdk.State) bool) sdk.State {
	t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		state, err := s.Inspect(t.Context(), id)
		must(t, err)
		if wanted(state) {
			return state
		}
		select {
		case <-deadline:
			t.Fatalf("waited in vain; last seen: %+v", state)
		case <-tick.C:
		}
	}
}

// left returns the names of the project's containers.
func (s *stage) left(t *testing.T) []string {
	t.Helper()
	states, err := s.List(context.WithoutCancel(t.Context()), s.project)
	must(t, err)
	var names []string
	for _, state := range states {
		names = append(names, state.Name)
	}
	slices.Sort(names)
	return names
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantError checks the code of err and that it says certain words.
func wantError(t *testing.T, err error, code sdk.Code, words ...string) *sdk.Error {
	t.Helper()
	e, ok := errors.AsType[*sdk.Error](err)
	if !ok || e.Code != code {
		t.Fatalf("got %v (code %q), want code %q", err, sdk.CodeOf(err), code)
	}
	for _, word := range words {
		if !strings.Contains(err.Error()+"\n"+e.Hint, word) {
			t.Errorf("%q (hint %q) doesn't say %q", err, e.Hint, word)
		}
	}
	return e
}

func check(test ...string) *sdk.Healthcheck {
	return &sdk.Healthcheck{
		Test: test, Interval: sdk.Duration(time.Second), Timeout: sdk.Duration(10 * time.Second), Retries: 3,
		StartInterval: sdk.Duration(50 * time.Millisecond),
	}
}
