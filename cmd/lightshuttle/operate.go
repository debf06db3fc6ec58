package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/lightshuttle/lightshuttle/cmd/lightshuttle/exitcode"
	"github.com/lightshuttle/lightshuttle/control"
	"github.com/lightshuttle/lightshuttle/host/lifecycle"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// operateOptions are the flags of restart, stop and start.
type operateOptions struct {
	operation control.Operation
	resources []string
	envFile   string
	detach    bool
}

func newRestart(a *app) *cobra.Command {
	return a.newOperation(control.Restart, "Stop, remove and start resources again",
		`Stops each named resource, makes its container anew and waits until it is
ready. What depends on it runs on. With an up that watches over the stack, it is
that one which restarts; else the containers are restarted as they would be by
up --detach.`, "lightshuttle restart app\n  lightshuttle restart --detach db cache")
}

func newStop(a *app) *cobra.Command {
	return a.newOperation(control.Stop, "Stop resources and leave them stopped",
		`Stops each named resource and keeps its container, so that its logs can still
be read. It is not restarted, whatever its restart policy, until start, restart
or the next up.`, "lightshuttle stop app")
}

func newStart(a *app) *cobra.Command {
	return a.newOperation(control.Start, "Start resources that were stopped or have ended",
		`Starts each named resource and those of its dependencies that don't run, in
order, and waits until they are ready. What runs is left alone.`, "lightshuttle start app")
}

func (a *app) newOperation(operation control.Operation, short, long, example string) *cobra.Command {
	options := operateOptions{operation: operation}
	command := &cobra.Command{
		Use:               string(operation) + " RESOURCE...",
		Short:             short,
		Long:              long,
		Example:           "  " + example,
		Args:              someResources,
		ValidArgsFunction: a.completeResources,
		RunE: func(command *cobra.Command, args []string) error {
			options.resources = args
			return a.operate(command, options)
		},
	}
	flags := command.Flags()
	flags.BoolVarP(&options.detach, "detach", "d", false, "don't wait until they are ready")
	flags.StringVar(&options.envFile, "env-file", "", "a file of variables (default: .env beside the manifest)")
	flags.Duration("grace", 0, "time for every container to end by itself, whatever the manifest says (default 10s)")
	if operation == control.Start {
		must(flags.MarkHidden("grace"))
	}
	return command
}

func someResources(command *cobra.Command, args []string) error {
	if len(args) > 0 {
		return nil
	}
	return fmt.Errorf("%s needs the name of a resource", command.CommandPath())
}

func (a *app) operate(command *cobra.Command, options operateOptions) error {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	p, s, err := a.projectSession(command, options.envFile)
	if err != nil {
		return err
	}
	defer s.close()
	if p != nil {
		if err := p.knows(options.resources...); err != nil {
			return err
		}
	}
	client := a.living(command.Context(), s.project)
	if client == nil {
		return owned(a.operateDirectly(command, p, s, options, signals))
	}
	defer client.Close()
	return untilSignal(command.Context(), signals, func(ctx context.Context) error {
		return a.operateThrough(ctx, client, options)
	})
}

// projectSession is openSession that keeps the manifest, where there is one.
func (a *app) projectSession(command *cobra.Command, envFile string) (*project, *session, error) {
	if a.project != "" {
		s, err := a.openSession(command)
		return nil, s, err
	}
	p, err := a.loadProject(command, envFile)
	if err != nil {
		return nil, nil, err
	}
	s, err := a.sessionFor(command.Context(), p)
	return p, s, err
}

// done are the words for an operation that has succeeded, begun those for one
// that goes on.
var (
	done  = map[control.Operation]string{control.Restart: "restarted", control.Stop: "stopped", control.Start: "started"}
	begun = map[control.Operation]string{control.Restart: "restarting", control.Stop: "stopping", control.Start: "starting"}
)

// operateThrough has the process that owns the project do it. The resources are
// taken at the same time: their order is the owner's business.
func (a *app) operateThrough(ctx context.Context, client *control.Client, options operateOptions) error {
	errs := make([]error, len(options.resources))
	var all sync.WaitGroup
	for i, name := range options.resources {
		all.Go(func() {
			errs[i] = client.Operate(ctx, options.operation, name, options.detach)
			if errs[i] != nil {
				return
			}
			words := done
			if options.detach {
				words = begun
			}
			fmt.Fprintf(a.stderr, "%s: %s\n", name, words[options.operation])
		})
	}
	all.Wait()
	err := errors.Join(errs...)
	if err == nil || ctx.Err() == nil {
		return resourceCode(err)
	}
	return fmt.Errorf("%w; the operation goes on", context.Cause(ctx))
}

// resourceCode is the exit code of an operation that failed.
func resourceCode(err error) error {
	if sdk.IsCode(err, sdk.CodeUnavailable) || sdk.IsCode(err, sdk.CodeTimeout) {
		return err
	}
	return exitcode.With(exitcode.Resource, err)
}

var _ control.Stack = (*lifecycle.Manager)(nil)
