package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/client"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// running is an `up` in the background.
type running struct {
	command *exec.Cmd
	lines   *bufio.Scanner
	stderr  bytes.Buffer
}

// begin runs up until the stack is ready.
func begin(program string, args ...string) (*running, error) {
	r := &running{command: exec.Command(program, args...)}
	r.command.Stderr = &r.stderr
	stdout, err := r.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := r.command.Start(); err != nil {
		return nil, err
	}
	r.lines = bufio.NewScanner(stdout)
	for r.lines.Scan() {
		if strings.Contains(r.lines.Text(), `"stack_started"`) {
			return r, nil
		}
	}
	return nil, fmt.Errorf("%w: %s", r.command.Wait(), r.stderr.String())
}

func (r *running) end() {
	_ = r.command.Process.Signal(interrupt)
	for r.lines.Scan() {
	}
	_ = r.command.Wait()
}

// nothingLeft checks that a subject left no container and no network.
func nothingLeft() error {
	api, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	if err != nil {
		return err
	}
	defer api.Close()
	var left []string
	for _, label := range []string{benchLabel, sdk.LabelProject, "com.docker.compose.project"} {
		args := filters.NewArgs(filters.Arg("label", label))
		containers, err := api.ContainerList(context.Background(), container.ListOptions{All: true, Filters: args})
		if err != nil {
			return err
		}
		networks, err := api.NetworkList(context.Background(), network.ListOptions{Filters: args})
		if err != nil {
			return err
		}
		for _, c := range containers {
			if strings.Contains(c.Names[0], "bench-") {
				left = append(left, c.Names[0])
			}
		}
		for _, n := range networks {
			if strings.Contains(n.Name, "bench-") {
				left = append(left, n.Name)
			}
		}
	}
	if len(left) > 0 {
		return errors.New("left behind: " + strings.Join(left, ", "))
	}
	return nil
}
