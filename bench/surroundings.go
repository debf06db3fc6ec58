package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"github.com/docker/docker/api/types/container"
)

// begunReport says on what the run is made. It also finds out, before anything
// is measured, whether the engine and the programs are there.
func (h *harness) begunReport(ctx context.Context) (*report, error) {
	server, err := h.engine.api.ServerVersion(ctx)
	if err != nil {
		return nil, err
	}
	running, err := h.engine.api.ContainerList(ctx, container.ListOptions{})
	if err != nil {
		return nil, err
	}
	program, err := firstLine(ctx, h.program, "version")
	if err != nil {
		return nil, err
	}
	compose, err := firstLine(ctx, h.compose, "version", "--short")
	if err != nil {
		return nil, err
	}
	return &report{
		Machine: fmt.Sprintf("%s/%s, %d cores", runtime.GOOS, runtime.GOARCH, runtime.NumCPU()),
		Engine:  fmt.Sprintf("engine %s", server.Version),
		Program: program, Compose: compose,
		Others: len(running), Load: load(),
	}, nil
}

func firstLine(ctx context.Context, program string, args ...string) (string, error) {
	output, err := exec.CommandContext(ctx, program, args...).Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", program, strings.Join(args, " "), err)
	}
	line, _, _ := bytes.Cut(output, []byte("\n"))
	return string(line), nil
}

// load is the machine's load of the last minute, where the system tells.
func load() string {
	data, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(string(data), " ")
	return first
}
