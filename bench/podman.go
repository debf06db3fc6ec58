package main

import (
	"context"
	"errors"
	"os"

	"github.com/docker/docker/client"
)

// defaultPodman is where podman's service listens for root.
const defaultPodman = "unix:///run/podman/podman.sock"

// throughPodman brings five levels of four up and down on podman, by its socket
// and by its command line, against docker compose on its socket. Without systemd
// podman schedules no healthchecks, so all of them wait for the start alone.
func throughPodman(ctx context.Context, h *harness) (err error) {
	socket := os.Getenv("LIGHTSHUTTLE_TEST_PODMAN_SOCKET")
	if socket == "" {
		socket = defaultPodman
	}
	program := os.Getenv("LIGHTSHUTTLE_TEST_PODMAN")
	if program == "" {
		program = "podman"
	}
	api, err := client.NewClientWithOpts(client.WithHost(socket), client.WithAPIVersionNegotiation())
	if err != nil {
		return err
	}
	podman := &engine{api: api, prefix: h.engine.prefix}
	defer func() { err = errors.Join(err, podman.close()) }()
	s := fiveByFour()
	s.Name = "podman"
	for i := range s.Services {
		s.Services[i].Check = nil
	}
	files, err := s.write(h.dir, h.engine.prefix)
	if err != nil {
		return err
	}
	nothingLeft := func(ctx context.Context) error { return podman.nothingLeft(ctx, nil) }
	up, down, err := h.upsAndDowns(ctx, h.podmanSubjects(socket, program), files, nothingLeft)
	if err != nil {
		return err
	}
	h.report.add("podman 5×4 up", "ms", up)
	h.report.add("podman 5×4 down", "ms", down)
	h.report.compare("podman up by socket ÷ compose", up[us], up[rival], 1.0)
	h.report.compare("podman down by socket ÷ compose", down[us], down[rival], 1.0)
	h.report.compare("podman up by exec ÷ compose", up[byExec], up[rival], none)
	h.report.compare("podman down by exec ÷ compose", down[byExec], down[rival], none)
	return nil
}

func (h *harness) podmanSubjects(socket, program string) []subject {
	ours := func(name, setting string) subject {
		return subject{name, func(ctx context.Context, files files, whileUp func() error) (turn, error) {
			return h.inForeground(ctx, whileUp, programReady, "env", "LIGHTSHUTTLE_RUNTIME=podman", setting, h.program, "up", "--json", "-f", files.manifest)
		}}
	}
	return []subject{
		ours(us, "LIGHTSHUTTLE_RUNTIMES_PODMAN_HOST="+socket),
		{rival, func(ctx context.Context, files files, _ func() error) (turn, error) {
			compose := []string{"env", "DOCKER_HOST=" + socket, h.compose, "-f", files.compose}
			return h.twice(ctx, append(compose[:len(compose):len(compose)], "up", "-d", "--quiet-pull"), append(compose[:len(compose):len(compose)], "down", "-v"))
		}},
		ours(byExec, "LIGHTSHUTTLE_RUNTIMES_PODMAN_PATH="+program),
	}
}
