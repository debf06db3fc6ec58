package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// subject is who brings a stack up and takes it down.
type subject struct {
	name string
	// up runs until the stack is ready; down ends what it began.
	run func(s stack, manifest, compose string) (upDown, error)
}

// upDown are the figures of one stack brought up and taken down.
type upDown struct {
	up, down time.Duration
	// memory is the most resident memory of the process that brought it up, in
	// bytes.
	memory int64
}

// foreground runs a program that brings the stack up, prints a line that
// contains ready, and takes it down on an interrupt.
func foreground(ready string, program string, args ...string) (upDown, error) {
	command := exec.Command(program, args...)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	stdout, err := command.StdoutPipe()
	if err != nil {
		return upDown{}, err
	}
	began := time.Now()
	if err := command.Start(); err != nil {
		return upDown{}, err
	}
	lines := bufio.NewScanner(stdout)
	seen := false
	for lines.Scan() {
		if strings.Contains(lines.Text(), ready) {
			seen = true
			break
		}
	}
	up := time.Since(began)
	began = time.Now()
	_ = command.Process.Signal(interrupt)
	for lines.Scan() { // it must not block on what it prints
	}
	if err := command.Wait(); err != nil || !seen {
		return upDown{}, fmt.Errorf("%s: %w\n%s", program, err, stderr.String())
	}
	return upDown{up: up, down: time.Since(began), memory: peakMemory(command)}, nil
}

func peakMemory(command *exec.Cmd) int64 {
	usage, ok := command.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	return usage.Maxrss * 1024
}

// timed runs a program to its end.
func timed(program string, args ...string) (time.Duration, int64, error) {
	command := exec.Command(program, args...)
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	began := time.Now()
	err := command.Run()
	took := time.Since(began)
	if err != nil {
		return took, 0, fmt.Errorf("%s %s: %w\n%s", program, strings.Join(args, " "), err, output.String())
	}
	return took, peakMemory(command), nil
}

func subjects(o options) []subject {
	return []subject{
		{"lightshuttle", func(_ stack, manifest, _ string) (upDown, error) {
			return foreground(`"stack_started"`, o.program, "up", "--json", "-f", manifest)
		}},
		{"compose", func(_ stack, _, compose string) (upDown, error) {
			up, memory, err := timed(o.compose, "-f", compose, "up", "-d", "--wait", "--quiet-pull")
			if err != nil {
				return upDown{}, err
			}
			down, _, err := timed(o.compose, "-f", compose, "down", "-v")
			return upDown{up, down, memory}, err
		}},
		{"floor", func(s stack, _, _ string) (upDown, error) {
			self, err := os.Executable()
			if err != nil {
				return upDown{}, err
			}
			return foreground("ready", self, "-floor", s.Name)
		}},
	}
}
