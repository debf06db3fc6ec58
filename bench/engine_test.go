package main

import (
	"crypto/rand"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/volume"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// testEngine sees only what one run makes.
func testEngine(t *testing.T) *engine {
	t.Helper()
	e, err := openEngine("bench-" + strings.ToLower(rand.Text()[:8]) + "-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// make makes a container, a network and a volume, none of which runs.
func (e *engine) make(t *testing.T, label, project string) (containerID string) {
	t.Helper()
	labels := map[string]string{label: project}
	if _, err := e.api.NetworkCreate(t.Context(), project, network.CreateOptions{Labels: labels}); err != nil {
		t.Fatal(err)
	}
	if _, err := e.api.VolumeCreate(t.Context(), volume.CreateOptions{Name: project, Labels: labels}); err != nil {
		t.Fatal(err)
	}
	// The image's own volume is an anonymous one.
	created, err := e.api.ContainerCreate(t.Context(), &container.Config{Image: postgres, Labels: labels}, nil, nil, nil, project)
	if err != nil {
		t.Fatal(err)
	}
	return created.ID
}

func TestSweepRemovesWhatIsOursAndNothingElse(t *testing.T) {
	ours, others := testEngine(t), testEngine(t)
	ours.make(t, sdk.LabelProject, ours.prefix+"ls-x")
	ours.make(t, composeProject, ours.prefix+"dc-x")
	kept := others.make(t, sdk.LabelProject, others.prefix+"ls-x")

	volumes, err := ours.anonymous(t.Context())
	if err != nil || len(volumes) != 2 {
		t.Fatalf("anonymous volumes %v, %v", volumes, err)
	}
	err = ours.nothingLeft(t.Context(), volumes)
	if err == nil {
		t.Fatal("nothing left, though everything is")
	}
	for _, what := range []string{"container /" + ours.prefix + "ls-x", "network " + ours.prefix + "dc-x", "volume " + volumes[0]} {
		if !strings.Contains(err.Error(), what) {
			t.Errorf("%s isn't in: %v", what, err)
		}
	}
	if err := ours.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := ours.nothingLeft(t.Context(), volumes); err != nil {
		t.Error(err)
	}
	if _, err := others.api.ContainerInspect(t.Context(), kept); err != nil {
		t.Errorf("another run's container: %v", err)
	}
}

func TestSweepWithoutAnEngineSaysWhatMayBeLeft(t *testing.T) {
	t.Setenv("DOCKER_HOST", "unix://"+t.TempDir()+"/nobody.sock")
	e, err := openEngine("bench-test-")
	if err != nil {
		t.Fatal(err)
	}
	if err := e.close(); err == nil || !strings.Contains(err.Error(), "begin with bench-test-") {
		t.Errorf("error %v", err)
	}
}

func TestFindKnowsBothKinds(t *testing.T) {
	if got := serviceOf(map[string]string{sdk.LabelResource: "a"}); got != "a" {
		t.Errorf("ours: %q", got)
	}
	if got := serviceOf(map[string]string{composeService: "b"}); got != "b" {
		t.Errorf("compose's: %q", got)
	}
	e := testEngine(t)
	if _, err := e.find(t.Context(), "a"); err == nil {
		t.Error("found what isn't there")
	}
}
