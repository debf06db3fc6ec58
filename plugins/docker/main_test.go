package docker

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/network"
	"go.uber.org/goleak"

	"github.com/lightshuttle/lightshuttle/sdk"
)

const (
	tiny    = "lightshuttle-test/tiny:1"
	tinyhc  = "lightshuttle-test/tinyhc:1"
	busybox = "busybox:1.36"
)

func TestMain(m *testing.M) {
	if err := checkEngine(); err != nil {
		fmt.Fprintf(os.Stderr, "these tests need a Docker engine with the test images: run `make engines` (%v)\n", err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

func checkEngine() error {
	r, err := Open(Options{})
	if err != nil {
		return err
	}
	defer r.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for _, ref := range []string{tiny, tinyhc, busybox} {
		if there, err := r.imageIsThere(ctx, ref); err != nil || !there {
			return errors.Join(err, fmt.Errorf("image %s: %t", ref, there))
		}
	}
	return nil
}

// engine opens the engine of this machine.
func engine(t *testing.T) *Runtime {
	t.Helper()
	r, err := Open(Options{})
	must(t, err)
	t.Cleanup(func() { must(t, r.Close()) })
	return r
}

// stage is a project of its own on a real engine, which leaves nothing behind.
type stage struct {
	*Runtime
	project string
}

func newStage(t *testing.T) *stage {
	t.Helper()
	return stageOn(t, engine(t))
}

// podmanStage is a project on podman's Docker-compatible service.
func podmanStage(t *testing.T) *stage {
	t.Helper()
	r, err := Open(Options{Host: cmp.Or(os.Getenv("LIGHTSHUTTLE_TEST_PODMAN_SOCKET"), "unix:///var/lib/lightshuttle-engines/podman/podman.sock")})
	must(t, err)
	t.Cleanup(func() { must(t, r.Close()) })
	info, err := r.Ping(t.Context())
	if err != nil || info.Name != "podman" {
		t.Fatalf("this test needs podman's service: run `make engines` (%+v, %v)", info, err)
	}
	return stageOn(t, r)
}

func stageOn(t *testing.T, r *Runtime) *stage {
	t.Helper()
	s := &stage{Runtime: r, project: "t" + strings.ToLower(rand.Text()[:10])}
	t.Cleanup(func() { s.clean(t) })
	return s
}

func (s *stage) clean(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	label := filters.NewArgs(filters.Arg("label", sdk.LabelProject+"="+s.project))
	containers, err := s.api.ContainerList(ctx, container.ListOptions{All: true, Filters: label})
	must(t, err)
	for _, left := range containers {
		must(t, s.Remove(ctx, left.ID))
	}
	networks, err := s.api.NetworkList(ctx, network.ListOptions{Filters: label})
	must(t, err)
	for _, left := range networks {
		must(t, s.api.NetworkRemove(ctx, left.ID))
	}
	volumes, err := s.ListVolumes(ctx, s.project)
	must(t, err)
	for _, left := range volumes {
		must(t, s.RemoveVolume(ctx, left))
	}
	for s.removeImages(ctx, t, label) {
		// What had children hasn't any more.
	}
}

// removeImages removes what can be removed, and says whether that was any.
func (s *stage) removeImages(ctx context.Context, t *testing.T, label filters.Args) bool {
	images, err := s.api.ImageList(ctx, image.ListOptions{All: true, Filters: label})
	must(t, err)
	removed := false
	for _, left := range images {
		_, err := s.api.ImageRemove(ctx, left.ID, image.RemoveOptions{Force: true, PruneChildren: true})
		removed = removed || err == nil
	}
	return removed
}

// spec is a container that serves until it is told to stop.
func (s *stage) spec(resource string, command ...string) sdk.Spec {
	if len(command) == 0 {
		command = []string{"serve"}
	}
	return sdk.Spec{
		Project: s.project, Resource: resource, Name: s.project + "-" + resource, Image: tiny, Command: command,
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
	ended, errs := s.api.ContainerWait(t.Context(), id, container.WaitConditionNotRunning)
	select {
	case <-ended:
	case err := <-errs:
		must(t, err)
	}
	return id
}

// left returns the names of the project's containers.
func (s *stage) left(t *testing.T) []string {
	t.Helper()
	containers, err := s.api.ContainerList(context.WithoutCancel(t.Context()), container.ListOptions{
		All: true, Filters: filters.NewArgs(filters.Arg("label", sdk.LabelProject+"="+s.project)),
	})
	must(t, err)
	var names []string
	for _, c := range containers {
		names = append(names, firstName(c))
	}
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
	if !sdk.IsCode(err, code) {
		t.Fatalf("got %v (code %q), want code %q", err, sdk.CodeOf(err), code)
	}
	e, ok := errors.AsType[*sdk.Error](err)
	if !ok {
		t.Fatalf("%v isn't an sdk.Error", err)
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
		Test: test, Interval: sdk.Duration(time.Second), Timeout: sdk.Duration(5 * time.Second), Retries: 3,
		StartInterval: sdk.Duration(50 * time.Millisecond),
	}
}

// await waits for a condition that nothing tells of.
func await(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		case <-tick.C:
		}
	}
}
