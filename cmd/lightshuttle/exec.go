package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/lightshuttle/lightshuttle/cmd/lightshuttle/exitcode"
	"github.com/lightshuttle/lightshuttle/host/lifecycle"
	"github.com/lightshuttle/lightshuttle/sdk"
)

type execOptions struct {
	resource   string
	command    []string
	env        []string
	user       string
	workingDir string
	noTTY      bool
}

// exitStatus is the end of a command that has said all there is to say.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

func newExec(a *app) *cobra.Command {
	var options execOptions
	command := &cobra.Command{
		Use:   "exec RESOURCE -- COMMAND [ARGUMENT...]",
		Short: "Run a command in the container of a resource",
		Long: `Runs the command in the running container, with this program's input and, where
both ends are one, a terminal. The exit code is the command's.`,
		Example: `  lightshuttle exec db -- psql -U postgres
  lightshuttle exec app -- sh -c 'ls /tmp'
  lightshuttle exec --no-tty app -- env`,
		Args:              resourceAndCommand,
		ValidArgsFunction: a.completeFirstResource,
		RunE: func(command *cobra.Command, args []string) error {
			options.resource, options.command = args[0], commandIn(args)
			return a.exec(command, options)
		},
	}
	flags := command.Flags()
	flags.SetInterspersed(false) // what comes after the resource is the command's
	flags.StringArrayVarP(&options.env, "env", "e", nil, "set a variable, as NAME=VALUE")
	flags.StringVarP(&options.user, "user", "u", "", "the user to run as, by name or number")
	flags.StringVarP(&options.workingDir, "workdir", "w", "", "the folder to run in")
	flags.BoolVarP(&options.noTTY, "no-tty", "T", false, "no terminal, even where there is one")
	return command
}

func resourceAndCommand(command *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return fmt.Errorf("%s needs the name of a resource and a command", command.CommandPath())
	case len(commandIn(args)) == 0:
		return fmt.Errorf("%s needs a command to run, as in `%s %s -- sh`", command.CommandPath(), command.CommandPath(), args[0])
	}
	return nil
}

// commandIn is the command in the arguments, after the resource and a "--" that
// may be left out.
func commandIn(args []string) []string {
	rest := args[1:]
	if len(rest) > 0 && rest[0] == "--" {
		return rest[1:]
	}
	return rest
}

// completeFirstResource completes the first argument.
func (a *app) completeFirstResource(command *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	return a.completeResources(command, args, toComplete)
}

func (a *app) exec(command *cobra.Command, options execOptions) error {
	env, err := assignments(options.env)
	if err != nil {
		return err
	}
	s, err := a.openSession(command)
	if err != nil {
		return err
	}
	defer s.close()
	execer, ok := s.runtime.(sdk.Execer)
	if !ok {
		return sdk.Errorf(sdk.CodeUnsupported, "exec", "this runtime can't run commands in its containers")
	}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	wanted := sdk.ExecOptions{
		Command: options.command, Env: env, User: options.user, WorkingDir: options.workingDir,
		Stdin: os.Stdin, Stdout: a.stdout, Stderr: a.stderr,
	}
	code := 0
	err = untilSignal(command.Context(), signals, func(ctx context.Context) error {
		id, err := s.runningContainer(ctx, options.resource)
		if err != nil {
			return err
		}
		code, err = a.attached(ctx, execer, id, wanted, !options.noTTY && isTerminal(os.Stdin) && isTerminal(a.stdout))
		return err
	})
	if _, interrupted := errors.AsType[*lifecycle.InterruptedError](err); interrupted {
		return fmt.Errorf("%w; the command may go on in the container", err)
	}
	if err != nil {
		return err
	}
	if code != 0 {
		return exitStatus(code)
	}
	return nil
}

// attached runs the command with this program's input, and with its terminal. A
// runtime that gives commands neither, as plugins do, is asked again for the
// command alone, unless there is input that would be lost.
func (a *app) attached(ctx context.Context, execer sdk.Execer, id string, wanted sdk.ExecOptions, terminal bool) (int, error) {
	code, err := execAt(ctx, execer, id, wanted, terminal)
	info, statErr := os.Stdin.Stat()
	if !sdk.IsCode(err, sdk.CodeUnsupported) || statErr != nil || info.Mode()&os.ModeCharDevice == 0 {
		return code, err
	}
	if terminal {
		a.logger.Warn("this runtime gives commands no terminal and no input")
	}
	wanted.Stdin = nil
	return execer.Exec(ctx, id, wanted)
}

func execAt(ctx context.Context, execer sdk.Execer, id string, wanted sdk.ExecOptions, terminal bool) (int, error) {
	if terminal {
		restore, err := giveTerminal(ctx, &wanted)
		if err != nil {
			return 0, err
		}
		defer restore()
	}
	return execer.Exec(ctx, id, wanted)
}

// assignments reads variables. One without a value is taken from the
// environment, so that a secret needs no place on the command line.
func assignments(texts []string) (map[string]string, error) {
	env := make(map[string]string, len(texts))
	for _, text := range texts {
		name, value, given := strings.Cut(text, "=")
		if name == "" {
			return nil, usage("--env must be NAME=VALUE or NAME, not %q", text)
		}
		if !given {
			value = os.Getenv(name)
		}
		env[name] = value
	}
	return env, nil
}

// runningContainer is the id of the resource's container.
func (s *session) runningContainer(ctx context.Context, resource string) (string, error) {
	states, err := s.containersOf(ctx, "exec", []string{resource})
	if err != nil {
		return "", err
	}
	running := slices.IndexFunc(states, func(state sdk.State) bool { return state.Status == sdk.StatusRunning })
	if running < 0 {
		return "", exitcode.With(exitcode.Resource, &sdk.Error{
			Code: sdk.CodeConflict, Op: "exec", Resource: resource, Err: fmt.Errorf("its container is %s", states[0].Status),
			Hint: "`lightshuttle start " + resource + "` starts it",
		})
	}
	return states[running].ID, nil
}

// giveTerminal hands this program's terminal to the command: every key goes
// there, Ctrl-C included, and so does each change of size. The terminal is to be
// restored.
func giveTerminal(ctx context.Context, options *sdk.ExecOptions) (restore func(), err error) {
	terminal := int(os.Stdin.Fd())
	before, err := term.MakeRaw(terminal)
	if err != nil {
		return nil, fmt.Errorf("the terminal: %w", err)
	}
	sizes := make(chan sdk.TerminalSize, 1)
	options.TTY, options.Resize = true, sizes
	changes := make(chan os.Signal, 1)
	signal.Notify(changes, syscall.SIGWINCH)
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		for {
			width, height, err := term.GetSize(terminal)
			if err == nil {
				select {
				case sizes <- sdk.TerminalSize{Width: uint16(width), Height: uint16(height)}: //nolint:gosec // the kernel counts in these
				case <-ctx.Done():
					return
				}
			}
			select {
			case <-changes:
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() {
		cancel()
		signal.Stop(changes)
		_ = term.Restore(terminal, before) // there is nothing else that could be done
	}, nil
}
