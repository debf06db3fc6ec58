package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

const (
	// longestTurn is when a subject that hangs is given up.
	longestTurn = 5 * time.Minute
	// lastGrace is what a subject that is given up gets to tidy up.
	lastGrace = 30 * time.Second
)

// command prepares a program. The end of ctx interrupts it as Ctrl-C would, so
// that it can tidy up. A real Ctrl-C doesn't reach it: it is the harness that
// decides.
func (h *harness) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir = h.dir // no settings but the user's own
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	c.WaitDelay = lastGrace
	return c
}

// once runs a program to its end.
func (h *harness) once(ctx context.Context, name string, args ...string) (time.Duration, *exec.Cmd, error) {
	ctx, cancel := context.WithTimeout(ctx, longestTurn)
	defer cancel()
	command := h.command(ctx, name, args...)
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	began := time.Now()
	err := command.Run()
	took := time.Since(began)
	if err != nil {
		return 0, nil, fmt.Errorf("%s: %w\n%s", strings.Join(command.Args, " "), err, lastLines(output.String()))
	}
	return took, command, nil
}

// foreground is a program that brings a stack up, says so, and takes it down
// when it is interrupted.
type foreground struct {
	command *exec.Cmd
	cancel  context.CancelFunc
	began   time.Time
	// heard, if it isn't nil, is told each line of the output as it comes.
	heard func(line string, at time.Time)
	// ready gets the moment of the line that says so.
	ready  chan time.Time
	ended  chan struct{}
	stderr bytes.Buffer
}

// begin starts a program and waits for the line that contains ready.
func (h *harness) begin(ctx context.Context, ready, name string, args ...string) (f *foreground, up time.Duration, err error) {
	return h.beginHearing(ctx, nil, ready, name, args...)
}

// beginHearing is begin for who wants to hear all that the program prints.
func (h *harness) beginHearing(ctx context.Context, heard func(line string, at time.Time), ready, name string, args ...string) (f *foreground, up time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, longestTurn)
	f = &foreground{command: h.command(ctx, name, args...), cancel: cancel, heard: heard, ready: make(chan time.Time, 1), ended: make(chan struct{})}
	f.command.Stderr = &f.stderr
	stdout, err := f.command.StdoutPipe()
	if err != nil {
		cancel()
		return nil, 0, err
	}
	f.began = time.Now()
	if err := f.command.Start(); err != nil {
		cancel()
		return nil, 0, err
	}
	go f.listen(stdout, ready)
	select {
	case at := <-f.ready:
		return f, at.Sub(f.began), nil
	case <-f.ended:
	}
	defer cancel()
	return nil, 0, fmt.Errorf("%s ended before it was ready: %w\n%s", strings.Join(f.command.Args, " "), ended(f.command.Wait()), lastLines(f.stderr.String()))
}

// listen reads all of the output, because a program blocks on what nobody
// reads.
func (f *foreground) listen(stdout io.Reader, ready string) {
	defer close(f.ended)
	reader := bufio.NewReader(stdout)
	for waiting := true; ; {
		line, err := reader.ReadString('\n')
		if f.heard != nil {
			f.heard(line, time.Now())
		}
		if waiting && strings.Contains(line, ready) {
			f.ready <- time.Now()
			waiting = false
		}
		if err != nil {
			return
		}
	}
}

// end interrupts the program and waits for its end.
func (f *foreground) end() (time.Duration, error) {
	defer f.cancel()
	began := time.Now()
	signalled := f.command.Process.Signal(os.Interrupt) // fails if it has ended by itself
	<-f.ended
	err := f.command.Wait()
	down := time.Since(began)
	if err = errors.Join(signalled, err); err != nil {
		return 0, fmt.Errorf("%s: %w\n%s", strings.Join(f.command.Args, " "), err, lastLines(f.stderr.String()))
	}
	return down, nil
}

// ended makes an error of an end without one.
func ended(err error) error {
	if err == nil {
		return fmt.Errorf("exit code 0")
	}
	return err
}

// lastLines is the end of what a program said, where it says why it failed.
func lastLines(output string) string {
	const most = 5
	lines := strings.Split(strings.TrimSpace(output), "\n")
	return strings.Join(lines[max(0, len(lines)-most):], "\n")
}
