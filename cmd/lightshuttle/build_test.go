package main

import (
	"strings"
	"syscall"
	"testing"

	dockerimage "github.com/docker/docker/api/types/image"
	gopsutil "github.com/shirou/gopsutil/v4/process"

	"github.com/lightshuttle/lightshuttle/host/lifecycle"
)

// SIGINT during a build ends it; neither an image nor the container that the
// build runs in is left.
func TestL11SignalWhileBuilding(t *testing.T) {
	s := newStack(t, `
	app:
		dockerfile: {context: app}
	other:
		container: {image: IMAGE, command: [sleep, "1000"], stop_signal: SIGKILL}
`)
	s.file("app/Dockerfile", "FROM "+image+"\nRUN : "+s.project+"; sleep 1000; true\n")
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

// building says whether the build's command runs. BuildKit shows no container,
// so the processes of this machine are looked through.
func (s *testStack) building() bool {
	s.t.Helper()
	processes, err := gopsutil.Processes()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, p := range processes {
		command, err := p.Cmdline() // one that has just ended has none
		if err == nil && strings.Contains(command, ": "+s.project) {
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
