package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"

	"github.com/spf13/cobra"

	"github.com/lightshuttle/lightshuttle/control"
	"github.com/lightshuttle/lightshuttle/host/lifecycle"
	"github.com/lightshuttle/lightshuttle/host/owner"
	"github.com/lightshuttle/lightshuttle/host/plan"
	"github.com/lightshuttle/lightshuttle/host/preflight"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// operateDirectly acts on a stack that nobody watches over: on the engine, with
// the manifest and the state.
func (a *app) operateDirectly(command *cobra.Command, p *project, s *session, options operateOptions, signals <-chan os.Signal) error {
	folder, err := owner.Open()
	if err != nil {
		return err
	}
	held, err := folder.Take(a.ownership(s, string(options.operation)))
	if err != nil {
		return err
	}
	defer a.giveBack(held)
	if options.operation == control.Stop {
		return untilSignal(command.Context(), signals, func(ctx context.Context) error { return a.stopDirectly(ctx, command, s, options) })
	}
	if p == nil {
		return usage("%s needs the manifest, since nobody watches over project %s: say where it is with -f, without -p", command.CommandPath(), s.project)
	}
	return a.startDirectly(command, p, s, options, signals)
}

// stopDirectly stops the containers in reverse dependency order and keeps them.
func (a *app) stopDirectly(ctx context.Context, command *cobra.Command, s *session, options operateOptions) error {
	states, err := s.containersOf(ctx, "stop", options.resources)
	if err != nil {
		return err
	}
	p, err := plan.Down(sdk.Network{Project: s.project}, plan.Observed{Containers: states}, false)
	if err != nil {
		return err
	}
	var errs []error
	stopped := map[string]string{}
	for _, step := range slices.Backward(p.Steps) {
		if err := a.stopOne(ctx, command, s, step); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", step.Resource, err))
			continue
		}
		fmt.Fprintf(a.stderr, "%s: stopped\n", step.Resource)
		stopped[step.Resource] = step.Previous.ID
	}
	return errors.Join(append(errs, a.noteStopped(s, stopped))...)
}

// stopOne stops a container. Its engine is first told to leave it stopped: some
// policies start a stopped container again with the engine itself.
func (a *app) stopOne(ctx context.Context, command *cobra.Command, s *session, step plan.Step) error {
	if step.Previous.Status != sdk.StatusRunning && step.Previous.Status != sdk.StatusPaused && step.Previous.Status != sdk.StatusRestarting {
		return nil
	}
	restarter, ok := s.runtime.(sdk.Restarter)
	if policy := step.Previous.Restart.Mode; ok && policy != "" && policy != sdk.RestartNo {
		if err := restarter.SetRestart(ctx, step.Previous.ID, sdk.RestartPolicy{Mode: sdk.RestartNo}); err != nil {
			return err
		}
	}
	grace := step.Grace
	if grace == 0 || command.Flags().Changed("grace") {
		grace = a.settings.Grace
	}
	return s.runtime.Stop(ctx, step.Previous.ID, grace)
}

// startDirectly makes the containers anew, or starts those that don't run. All
// others are left alone.
func (a *app) startDirectly(command *cobra.Command, p *project, s *session, options operateOptions, signals <-chan os.Signal) error {
	var up *upPlan
	err := untilSignal(command.Context(), signals, func(ctx context.Context) error {
		var err error
		if up, err = a.planUp(ctx, p, s, upOptions{resources: options.resources}); err != nil {
			return err
		}
		up.plan = only(up.plan, options)
		if err := prepareImages(ctx, s.runtime, up.plan); err != nil {
			return err
		}
		return preflight.Check(ctx, up.plan, s.runtime, up.ports)
	})
	if err != nil {
		return err
	}
	if err := a.save(up.store); err != nil {
		return err
	}
	a.handOver(command.Context(), s.runtime, up.plan)
	view := a.newView(viewOptions{detached: true})
	manager, err := lifecycle.New(up.plan, s.runtime, a.lifecycleOptions(command, lifecycle.Options{Detached: true, NoRollback: true, Progress: view.progress}))
	if err != nil {
		return err
	}
	var viewing sync.WaitGroup
	viewing.Go(func() { view.follow(manager) })
	viewing.Go(func() { a.remember(manager, s, up) })
	err = a.startUntilSignal(command.Context(), manager, signals)
	manager.Close()
	viewing.Wait()
	return err
}

// only is the part of a plan that an operation is about: for a restart the
// resources that are named, and those that are restarted with them; for a start
// the named ones, and what they need, as far as they don't run. What runs counts
// as ready.
func only(p *plan.Plan, options operateOptions) *plan.Plan {
	part := *p
	part.Steps, part.Network, part.Volumes = nil, p.Network, p.Volumes
	wanted := map[string]bool{}
	for _, step := range p.Steps { // what a step needs comes before it
		restarted := slices.Contains(options.resources, step.Resource) || slices.ContainsFunc(step.RestartWith, func(name string) bool { return wanted[name] })
		switch {
		case step.Spec == nil, options.operation == control.Restart && !restarted:
			continue
		case options.operation == control.Start && runsOrHasCompleted(step):
			continue
		}
		if step.Previous != nil {
			step.Action = plan.Recreate
		}
		step.Reason = "it was asked for"
		wanted[step.Resource] = true
		part.Steps = append(part.Steps, step)
	}
	for i := range part.Steps {
		step := &part.Steps[i]
		step.DependsOn = slices.DeleteFunc(slices.Clone(step.DependsOn), func(d plan.Dependency) bool { return !wanted[d.Resource] })
		step.RestartWith = slices.DeleteFunc(slices.Clone(step.RestartWith), func(name string) bool { return !wanted[name] })
	}
	return &part
}

func runsOrHasCompleted(step plan.Step) bool {
	if step.Previous == nil {
		return false
	}
	return step.Previous.Status == sdk.StatusRunning || step.Completes && step.Action == plan.Keep
}
