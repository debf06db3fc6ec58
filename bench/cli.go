package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// cli is an engine as the harness looks at it by its command line. It sees and
// removes only what belongs to the run's own projects, by their names.
type cli struct {
	program string
	prefix  string
}

// nerdctl is the one that the tests use.
func (h *harness) nerdctl() (cli, error) {
	program := os.Getenv("LIGHTSHUTTLE_TEST_NERDCTL")
	if program == "" {
		program = "nerdctl"
	}
	path, err := exec.LookPath(program)
	if err != nil {
		return cli{}, fmt.Errorf("%w\nset it up with `make engines`, then eval \"$(scripts/engines/env)\"", err)
	}
	return cli{path, h.engine.prefix}, nil
}

func (c cli) output(ctx context.Context, args ...string) (string, error) {
	command := exec.CommandContext(ctx, c.program, args...)
	command.Stderr = os.Stderr
	output, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w", strings.Join(command.Args, " "), err)
	}
	return string(output), nil
}

// names are those of the run, of one kind of things.
func (c cli) names(ctx context.Context, args ...string) ([]string, error) {
	output, err := c.output(ctx, args...)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(strings.Fields(output), func(name string) bool { return !strings.HasPrefix(name, c.prefix) }), nil
}

func (c cli) look(ctx context.Context) (containers, networks []string, err error) {
	containers, err = c.names(ctx, "ps", "--all", "--format", "{{.Names}}")
	if err != nil {
		return nil, nil, err
	}
	networks, err = c.names(ctx, "network", "ls", "--format", "{{.Name}}")
	return containers, networks, err
}

// nothingLeft fails if there is anything of the run.
func (c cli) nothingLeft(ctx context.Context) error {
	containers, networks, err := c.look(ctx)
	if err != nil {
		return err
	}
	if left := append(containers, networks...); len(left) > 0 {
		return fmt.Errorf("left behind: %s", strings.Join(left, ", "))
	}
	return nil
}

// sweep removes everything of the run. It has its own time, because the run's
// context may have ended.
func (c cli) sweep() error {
	ctx, cancel := context.WithTimeout(context.Background(), sweepTimeout)
	defer cancel()
	containers, networks, err := c.look(ctx)
	if err != nil {
		return err
	}
	var errs []error
	if len(containers) > 0 {
		_, err := c.output(ctx, append([]string{"rm", "--force", "--volumes"}, containers...)...)
		errs = append(errs, err)
	}
	for _, network := range networks {
		_, err := c.output(ctx, "network", "rm", network)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
