package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/lightshuttle/lightshuttle/cmd/lightshuttle/exitcode"
	"github.com/lightshuttle/lightshuttle/host/lifecycle"
	"github.com/lightshuttle/lightshuttle/host/plan"
	"github.com/lightshuttle/lightshuttle/host/state"
	"github.com/lightshuttle/lightshuttle/manifest"
	"github.com/lightshuttle/lightshuttle/sdk"
)

func newDown(a *app) *cobra.Command {
	var volumes bool
	command := &cobra.Command{
		Use:   "down",
		Short: "Stop and remove everything of the project",
		Long: `Stops and removes the project's containers and its network, found by their
labels, in reverse dependency order. Named volumes stay, unless --volumes is
given. Ctrl-C during it kills what still runs.`,
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
	var observed plan.Observed
	err = untilSignal(command.Context(), signals, func(ctx context.Context) error {
		observed, err = s.observe(ctx)
		return err
	})
	if err != nil {
		return err
	}
	network := sdk.Network{Name: manifest.NetworkName(s.project), Project: s.project}
	p, err := plan.Down(network, observed, volumes)
	if err != nil {
		return err
	}
	if err := a.takeDown(command, s, p, signals); err != nil {
		return err
	}
	if len(p.Steps) == 0 && len(p.Volumes) == 0 {
		fmt.Fprintf(a.stderr, "project %s has no containers\n", s.project)
	}
	if !volumes {
		return nil
	}
	return a.forget(s.project)
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

// forget drops what was kept for the data that is gone.
func (a *app) forget(projectName string) error {
	path, err := a.manifestPath()
	if err != nil {
		return nil //nolint:nilerr // without a manifest there is no folder that could hold any state
	}
	store, err := state.Open(filepath.Dir(path))
	if err != nil {
		return exitcode.With(exitcode.Wrong, err)
	}
	store.Forget(projectName)
	return exitcode.With(exitcode.Wrong, store.Save())
}
