package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/lightshuttle/lightshuttle/control"
	"github.com/lightshuttle/lightshuttle/host/lifecycle"
	"github.com/lightshuttle/lightshuttle/host/plan"
	"github.com/lightshuttle/lightshuttle/manifest"
	"github.com/lightshuttle/lightshuttle/sdk"
)

func newDown(a *app) *cobra.Command {
	var volumes bool
	command := &cobra.Command{
		Use:   "down",
		Short: "Stop and remove everything of the project",
		Long: `Stops and removes the project's containers and its network, found by their
labels, in reverse dependency order. A living up is asked to stop first. Named
volumes stay, unless --volumes is given. Ctrl-C during it kills what still runs.`,
		Example: `  lightshuttle down
  lightshuttle down --volumes
  lightshuttle down -p shop`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error { return a.down(command, volumes) },
	}
	flags := command.Flags()
	flags.BoolVar(&volumes, "volumes", false, "remove the named volumes too, with all data in them")
	flags.Duration("grace", 0, "time for every container to end by itself, whatever the manifest says (default 10s)")
	return command
}

func (a *app) down(command *cobra.Command, volumes bool) error {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	s, err := a.openSession(command)
	if err != nil {
		return err
	}
	defer s.close()
	t, err := a.newTakeover(s, a.downAsked(command))
	if err != nil {
		return err
	}
	held, err := t.take(command.Context(), signals)
	if err != nil {
		return owned(err)
	}
	defer a.giveBack(held)
	found, err := a.sweep(command, s, volumes, signals)
	if err != nil {
		return err
	}
	if !found && !t.asked {
		fmt.Fprintf(a.stderr, "project %s has no containers\n", s.project)
	}
	a.tellOfEarlierNames(command.Context(), s, a.kept(s))
	a.forget(s, volumes)
	return nil
}

// downAsked is what a living `up` is asked for.
func (a *app) downAsked(command *cobra.Command) control.Down {
	var asked control.Down
	if command.Flags().Changed("grace") {
		grace := sdk.Duration(a.settings.Grace)
		asked.Grace = &grace
	}
	return asked
}

// sweepMost bounds how often a project is looked at again.
const sweepMost = 5

// sweep removes what there is of the project and looks again, until there is
// nothing: a creation that a killed `up` had asked for may have gone on in the
// engine. It says whether it found anything.
func (a *app) sweep(command *cobra.Command, s *session, volumes bool, signals <-chan os.Signal) (found bool, err error) {
	network := sdk.Network{Name: manifest.NetworkName(s.project), Project: s.project}
	for round := range sweepMost {
		var observed plan.Observed
		err := untilSignal(command.Context(), signals, func(ctx context.Context) error {
			observed, err = s.observe(ctx)
			return err
		})
		if err != nil {
			return found, err
		}
		p, err := plan.Down(network, observed, volumes)
		if err != nil {
			return found, err
		}
		nothing := len(p.Steps) == 0 && len(p.Volumes) == 0
		if nothing && round > 0 {
			return found, nil
		}
		found = found || !nothing
		if err := a.takeDown(command, s, p, signals); err != nil {
			return found, err
		}
	}
	left := &sdk.Error{Code: sdk.CodeConflict, Err: fmt.Errorf("project %s gets new containers all the time", s.project)}
	left.Hint = "find out who starts them, then run `lightshuttle down` again"
	return found, left
}

func (a *app) takeDown(command *cobra.Command, s *session, p *plan.Plan, signals <-chan os.Signal) error {
	manager, err := lifecycle.New(p, s.runtime, a.lifecycleOptions(command, lifecycle.Options{}))
	if err != nil {
		return err
	}
	defer manager.Close()
	ctx, cancel := context.WithCancel(command.Context())
	defer cancel()
	go func() {
		select {
		case <-signals:
			cancel() // ends all grace periods
		case <-ctx.Done():
		}
	}()
	err = manager.Stop(ctx)
	for _, r := range manager.Snapshot() {
		if r.State == lifecycle.Stopped {
			fmt.Fprintf(a.stderr, "%s: removed\n", r.Name)
		}
	}
	for _, step := range p.Volumes {
		if err == nil {
			fmt.Fprintf(a.stderr, "volume %s: removed\n", step.Volume.Name)
		}
	}
	return err
}
