package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/probe"
)

// nerdctlPlaces is how many starts and removals are under way at a time; more of
// them are no faster.
const nerdctlPlaces = 4

// floorNerdctl brings a stack up by calls of nerdctl, as floor does by those of
// the engine's API.
type floorNerdctl struct {
	program string
	stack   stack
	places  chan struct{}
	mu      sync.Mutex
	ids     []string
}

// floorUpNerdctl brings the stack of the file up, prints "ready", and takes it
// down when ctx ends.
func floorUpNerdctl(ctx context.Context, program, file string) error {
	f := &floorNerdctl{program: program, places: make(chan struct{}, nerdctlPlaces)}
	return upUntilEnd(ctx, file, &f.stack, f)
}

func (f *floorNerdctl) call(ctx context.Context, args ...string) (string, error) {
	command := exec.CommandContext(ctx, f.program, args...)
	var output, complaint bytes.Buffer
	command.Stdout, command.Stderr = &output, &complaint
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("%s: %w: %s", args[0], err, lastLines(complaint.String()))
	}
	return strings.TrimSpace(output.String()), nil
}

// placed makes a call when there is a place for it.
func (f *floorNerdctl) placed(ctx context.Context, args ...string) (string, error) {
	f.places <- struct{}{}
	defer func() { <-f.places }()
	return f.call(ctx, args...)
}

func (f *floorNerdctl) up(ctx context.Context) error {
	if _, err := f.call(ctx, "network", "create", "--label", sdk.LabelProject+"="+f.stack.Project, f.stack.Project); err != nil {
		return err
	}
	return f.stack.inOrder(ctx, func(ctx context.Context, one service) error {
		args := []string{"run", "--detach", "--name", f.stack.Project + "." + one.Name, "--pull", "never", "--no-healthcheck", "--hostname", one.Name, "--network", f.stack.Project}
		for name, value := range floorLabels(f.stack.Project, one) {
			args = append(args, "--label", name+"="+value)
		}
		id, err := f.placed(ctx, append(append(args, one.Image), one.Command...)...)
		if err != nil {
			return err
		}
		f.mu.Lock()
		f.ids = append(f.ids, id)
		f.mu.Unlock()
		return probe.Until(ctx, one.Check.sdk(), func(ctx context.Context) (probe.Result, error) {
			_, err := f.call(ctx, append([]string{"exec", id}, one.Check.Test...)...)
			return probe.Result{Passed: err == nil}, nil
		})
	})
}

// down stops and removes everything at once, in no order.
func (f *floorNerdctl) down() error {
	ctx, cancel := context.WithTimeout(context.Background(), longestTurn)
	defer cancel()
	errs := make([]error, len(f.ids))
	var all sync.WaitGroup
	for i, id := range f.ids {
		all.Go(func() {
			_, err := f.call(ctx, "stop", "--time", "10", id)
			_, removeErr := f.placed(ctx, "rm", "--force", "--volumes", id)
			errs[i] = errors.Join(err, removeErr)
		})
	}
	all.Wait()
	_, err := f.call(ctx, "network", "rm", f.stack.Project)
	return errors.Join(append(errs, err)...)
}
