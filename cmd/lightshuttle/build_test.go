package main

import (
	"strings"
	"syscall"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	dockerimage "github.com/docker/docker/api/types/image"

	"github.com/lightshuttle/lightshuttle/host/lifecycle"
)

// SIGINT during a build ends it; neither an image nor the container that the
// build runs in is left.
func TestSignalWhileBuilding(t *testing.T) {
	s := newStack(t, `
	app:
		dockerfile: {context: app}
	other:
		container: {image: IMAGE, command: [sleep, "1000"], stop_signal: SIGKILL}
`)
	// The classic builder runs a command in a container, which can be seen from
	// outside; what BuildKit does, the tests of plugins/docker look at.
	s.env = []string{"DOCKER_BUILDKIT=0"}
	s.file("app/Dockerfile", "FROM "+image+"\nRUN echo "+s.project+" && sleep 1000\n")
	p := s.up()
	p.await(lifecycle.ResourcePreparing, "app")
	p.await(lifecycle.ResourceReady, "other")
	eventually(t, "the build runs its command", func() bool { return s.building() })
	p.signal(syscall.SIGINT)
	p.end().exited(130)
	eventually(t, "the build has ended", func() bool { return !s.building() })
	images, err := s.docker.ImageList(t.Context(), dockerimage.ListOptions{Filters: s.ours()})
	if err != nil {
		t.Fatal(err)
	}
	if len(images) > 0 {
		t.Errorf("images are left: %v", images)
	}
}

// building says whether the container of the build's command runs.
func (s *testStack) building() bool {
	s.t.Helper()
	running, err := s.docker.ContainerList(s.context(), container.ListOptions{All: true, Filters: filters.NewArgs(filters.Arg("ancestor", image))})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, c := range running {
		if strings.Contains(c.Command, s.project) {
			return true
		}
	}
	return false
}

// A build that fails says so with the end of its output.
func TestUpFailsWhenTheBuildFails(t *testing.T) {
	s := newStack(t, `
	app:
		dockerfile: {context: app}
`)
	s.file("app/Dockerfile", "FROM "+image+"\nRUN echo "+s.project+"; echo no such package; exit 3\n")
	s.run("up").exited(4).says("error: app: build", "no such package")
}
