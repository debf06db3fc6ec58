package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/lightshuttle/lightshuttle/host/lifecycle"
	"github.com/lightshuttle/lightshuttle/host/preflight"
	"github.com/lightshuttle/lightshuttle/host/probe"
	"github.com/lightshuttle/lightshuttle/host/state"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// upOptions are the flags of up.
type upOptions struct {
	resources     []string
	profiles      []string
	envFile       string
	pull          string
	build         bool
	forceRecreate bool
	dryRun        bool
	noRollback    bool
	abortOnExit   bool
	detach        bool
	json          bool
	graph         string
}

func newUp(a *app) *cobra.Command {
	var options upOptions
	command := &cobra.Command{
		Use:   "up [RESOURCE...]",
		Short: "Start the stack and watch over it until a signal",
		Long: `Starts the named resources and what they need, or all, in dependency order, and
watches over them. Ctrl-C stops and removes everything; pressed during the start
it rolls back what was created. A second Ctrl-C kills at once. With --detach the
program ends once all are ready, and the containers run on.`,
		Example: `  lightshuttle up
  lightshuttle up --detach
  lightshuttle up app --pull always
  lightshuttle up --force-recreate
  lightshuttle up --dry-run`,
		ValidArgsFunction: a.completeResources,
		RunE: func(command *cobra.Command, args []string) error {
			options.resources = args
			return a.up(command, options)
		},
	}
	flags := command.Flags()
	flags.StringSliceVar(&options.profiles, "profile", nil, "also start the resources of this profile")
	flags.StringVar(&options.envFile, "env-file", "", "a file of variables (default: .env beside the manifest)")
	flags.StringVar(&options.pull, "pull", "", "pull policy of all images: missing, always, never")
	flags.BoolVar(&options.build, "build", false, "build the images of containers that already run, too")
	flags.BoolVar(&options.forceRecreate, "force-recreate", false, "replace containers that are as they should be, too")
	flags.BoolVar(&options.dryRun, "dry-run", false, "show the plan and change nothing")
	flags.BoolVar(&options.noRollback, "no-rollback", false, "keep everything for a look when the start fails")
	flags.BoolVar(&options.abortOnExit, "abort-on-exit", false, "stop the stack when a container ends, and end with its exit code")
	flags.BoolVarP(&options.detach, "detach", "d", false, "end once all are ready, and leave them running")
	flags.BoolVar(&options.json, "json", false, "print events as lines of JSON on standard output")
	flags.Duration("wait-timeout", 0, "time for the whole start (default: no limit)")
	flags.Duration("grace", 0, "time for every container to end by itself, whatever the manifest says (default 10s)")
	flags.Int("parallel", 0, "how many pulls and builds, and how many starts, go on at a time")
	must(command.RegisterFlagCompletionFunc("pull", completePull))
	return command
}

var completePull = cobra.FixedCompletions([]string{"missing", "always", "never"}, cobra.ShellCompDirectiveNoFileComp)

func checkPull(policy string) error {
	switch sdk.PullPolicy(policy) {
	case "", sdk.PullMissing, sdk.PullAlways, sdk.PullNever:
		return nil
	}
	return usage("--pull must be missing, always or never, not %q", policy)
}

func (a *app) up(command *cobra.Command, options upOptions) error {
	// Signals are heard from before the first side effect (L11).
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)

	if err := checkPull(options.pull); err != nil {
		return err
	}
	if options.detach && options.abortOnExit {
		return usage("--detach and --abort-on-exit exclude each other: nobody would be there to see the exit")
	}
	p, err := a.loadProject(command, options.envFile)
	if err != nil {
		return err
	}
	if err := p.knows(options.resources...); err != nil {
		return err
	}
	s, err := a.sessionFor(command.Context(), p)
	if err != nil {
		return err
	}
	defer s.close()
	if options.dryRun {
		up, err := a.lookAhead(command.Context(), p, s, options, signals)
		if err != nil {
			return err
		}
		return up.plan.WriteText(a.stdout)
	}
	held, err := a.holdFor(s, "up", signals)
	if err != nil {
		return owned(err)
	}
	defer held.release()
	s.events = lifecycle.Subscribe(command.Context(), s.runtime, s.project)
	defer s.events.Close()
	up, err := a.lookAhead(command.Context(), p, s, options, signals)
	if err != nil {
		return err
	}
	a.tellOfEarlierNames(command.Context(), s, up.store)
	up.store.SetRun(s.project, state.Run{
		Manifest: s.manifest, Runtime: a.settings.Runtime, PlanHash: up.plan.Hash(), Since: time.Now(), Detached: options.detach,
	})
	if err := a.save(up.store); err != nil {
		return err
	}
	return a.runStack(command, s, up, options, held, signals)
}

// lookAhead makes the plan and checks it.
func (a *app) lookAhead(ctx context.Context, p *project, s *session, options upOptions, signals <-chan os.Signal) (*upPlan, error) {
	var up *upPlan
	err := untilSignal(ctx, signals, func(ctx context.Context) error {
		var err error
		if up, err = a.planUp(ctx, p, s, options); err != nil {
			return err
		}
		return preflight.Check(ctx, up.plan, s.runtime, up.ports)
	})
	if err != nil {
		return nil, err
	}
	for _, note := range up.notes {
		fmt.Fprintln(a.stderr, note)
	}
	return up, nil
}

// untilSignal does what changes nothing yet, so that a signal simply ends it.
func untilSignal(ctx context.Context, signals <-chan os.Signal, look func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	done, left := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(left)
		select {
		case got := <-signals:
			cancel(&lifecycle.InterruptedError{Signal: got})
		case <-done:
		}
	}()
	err := look(ctx)
	close(done)
	<-left
	if ctx.Err() != nil {
		// Also where the signal came too late to end the look: else nobody would
		// ever hear of it.
		return context.Cause(ctx)
	}
	return err
}

// runStack executes the plan and shows how it goes.
func (a *app) runStack(command *cobra.Command, s *session, up *upPlan, options upOptions, held *hold, signals <-chan os.Signal) error {
	if options.detach {
		a.handOver(command.Context(), s.runtime, up.plan)
	}
	view := a.newView(viewOptions{json: options.json, detached: options.detach})
	manager, err := lifecycle.New(up.plan, s.runtime, a.lifecycleOptions(command, lifecycle.Options{
		NoRollback: options.noRollback, AbortOnExit: options.abortOnExit, Detached: options.detach, Progress: view.progress,
		Subscription: s.events,
	}))
	if err != nil {
		return err
	}
	held.attach(manager)
	var viewing sync.WaitGroup
	viewing.Go(func() { view.follow(manager) })
	viewing.Go(func() { a.remember(manager, s, up) })
	ctx := command.Context()
	if limit := a.settings.Timeouts.Wait; limit > 0 {
		var started context.CancelFunc
		ctx, started = waitLimit(ctx, manager, limit)
		defer started()
	}
	if options.detach {
		err = a.startUntilSignal(ctx, manager, signals)
	} else {
		err = manager.Run(ctx, signals)
	}
	manager.Close()
	viewing.Wait()
	if err == nil && !options.detach {
		up.store.Ended(s.project)
		return a.save(up.store)
	}
	return err
}

// starter is what a start needs of a manager.
type starter interface {
	Start(ctx context.Context) error
	Kill()
}

// startUntilSignal starts the stack and leaves it running. A signal ends the
// start and rolls it back, a second one kills (L11). One that comes when all are
// ready changes nothing, and the user is told.
func (a *app) startUntilSignal(ctx context.Context, manager starter, signals <-chan os.Signal) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	started := make(chan error, 1)
	go func() { started <- manager.Start(ctx) }()
	interrupted := false
	for {
		select {
		case err := <-started:
			if err == nil && (interrupted || len(signals) > 0) {
				fmt.Fprintln(a.stderr, "the signal came when all was ready: what was started runs on, and `lightshuttle down` stops it")
			}
			return err
		case got := <-signals:
			if interrupted {
				manager.Kill()
			}
			interrupted = true
			cancel(&lifecycle.InterruptedError{Signal: got})
		}
	}
}

// waitLimit ends ctx when the stack isn't up within the limit.
func waitLimit(ctx context.Context, manager *lifecycle.Manager, limit time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(limit, func() {
		err := sdk.Errorf(sdk.CodeTimeout, "", "the stack was not up within %s", limit)
		err.Hint = "allow more time with --wait-timeout"
		cancel(err)
	})
	go func() {
		for event := range manager.Events().Since(ctx, 0) {
			if event.Type == lifecycle.StackStarted {
				timer.Stop()
				return
			}
		}
	}()
	return ctx, func() {
		timer.Stop()
		cancel(nil)
	}
}

// lifecycleOptions completes options with the settings.
func (a *app) lifecycleOptions(command *cobra.Command, options lifecycle.Options) lifecycle.Options {
	options.DefaultGrace = a.settings.Grace
	if command.Flags().Changed("grace") {
		options.Grace = &a.settings.Grace
	}
	options.StartTimeout = a.settings.Timeouts.Start
	options.Parallel = a.settings.Parallel
	options.NetworkProbe = probe.Network
	options.Logger = a.logger
	return options
}

// jsonLines writes events as lines of JSON.
type jsonLines struct{ app *app }

func (v jsonLines) progress(string, sdk.Progress) {}

func (v jsonLines) follow(manager *lifecycle.Manager) {
	encoder := json.NewEncoder(v.app.stdout)
	for event := range manager.Events().Since(context.Background(), 0) {
		if err := encoder.Encode(event); err != nil && !errors.Is(err, syscall.EPIPE) {
			v.app.logger.Warn("could not write an event", "error", err)
		}
	}
}
