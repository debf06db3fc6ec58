package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/lightshuttle/lightshuttle/cmd/lightshuttle/exitcode"
	"github.com/lightshuttle/lightshuttle/host"
	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/conformance"
)

// testProject is the project that a plugin under test is opened for.
const testProject = "lightshuttle-conformance"

type testOptions struct {
	level          string
	image, checked string
	program        []string
	only, exclude  []string
	parallel       int
	timeout        time.Duration
	verbose, json  bool
}

func newPluginTest(a *app) *cobra.Command {
	options := testOptions{}
	command := &cobra.Command{
		Use:   "test FILE|NAME",
		Short: "Test a plugin against the contract of runtimes",
		Long: `Runs the conformance suite on a plugin, with what it was granted: it really
starts, looks at and stops containers, in projects of their own, and checks each
promise of the contract up to the level that the plugin's abilities declare (core,
managed or full; see ` + "`plugin inspect`" + `). What the plugin refuses as unsupported, as the
contract wants, is no failure. The exit code is 7 when a check failed.

The containers run LightShuttle's own test program. Its images are made by
` + "`plugin test-image`" + ` and loaded into the engine once.`,
		Example: `  lightshuttle plugin test-image | docker load
  lightshuttle plugin trust ./mine.wasm
  lightshuttle plugin test ./mine.wasm
  lightshuttle plugin test ./mine.wasm --only 'wait/*' -v
  lightshuttle plugin test ./mine.wasm --exclude 'logs/binary=the engine keeps logs as text'`,
		Args: one("the file or the name of a plugin"),
		RunE: func(command *cobra.Command, args []string) error {
			if err := a.loadSettings(command, ""); err != nil {
				return err
			}
			return a.pluginTest(command.Context(), args[0], options)
		},
	}
	flags := command.Flags()
	flags.StringVar(&options.level, "level", "", "test for this level: core, managed or full (default: the one that its abilities declare)")
	flags.StringVar(&options.image, "image", testImage, "the image of the test program")
	flags.StringVar(&options.checked, "checked-image", checkedTestImage, "the image of the test program with a healthcheck of its own; empty: there is none")
	flags.StringSliceVar(&options.program, "program", testProgram, "the command line of the test program in the image")
	flags.StringSliceVar(&options.only, "only", nil, "only the checks of that name; * stands for any characters but a /")
	flags.StringArrayVar(&options.exclude, "exclude", nil, "leave out a check that the engine can't pass: CHECK=REASON")
	flags.IntVar(&options.parallel, "parallel", 4, "how many checks run at a time")
	flags.DurationVar(&options.timeout, "timeout", 90*time.Second, "the time for each check")
	flags.BoolVarP(&options.verbose, "verbose", "v", false, "list what passes, too, as it comes")
	flags.BoolVar(&options.json, "json", false, "print the report as JSON")
	return command
}

func (a *app) pluginTest(ctx context.Context, name string, options testOptions) error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	runtime, err := host.OpenPlugin(name, testProject, a.logger)
	if err != nil {
		return err
	}
	defer func() { _ = runtime.Close() }()
	level := options.level
	if level == "" {
		level = string(runtime.Report().Level)
	}
	target := conformance.Target{
		Name: runtime.Report().Manifest.Name, Runtime: runtime, Program: options.program,
		AbsentImage: "localhost/lightshuttle-conformance-none:1",
		Only:        options.only, Parallel: options.parallel, Timeout: options.timeout,
	}
	if err := target.Level.UnmarshalText([]byte(level)); err != nil {
		return exitcode.With(exitcode.Usage, err)
	}
	if target.Exclusions, err = exclusions(options.exclude); err != nil {
		return err
	}
	var report conformance.Report
	err = untilSignal(ctx, signals, func(ctx context.Context) error {
		remove, err := withWorkloads(ctx, &target, options)
		if err != nil {
			return err
		}
		defer remove()
		if err := runs(ctx, target); err != nil {
			return err
		}
		report, err = conformance.Run(ctx, target, a.testObserver(options))
		return exitcode.With(exitcode.Usage, err)
	})
	if len(report.Results) == 0 {
		return err
	}
	// Also of what was interrupted, which may have taken minutes.
	verdict := a.writeTestReport(report, options)
	if err != nil {
		return err
	}
	return verdict
}

// exclusions reads CHECK=REASON.
func exclusions(texts []string) (map[string]string, error) {
	all := map[string]string{}
	for _, text := range texts {
		name, reason, _ := strings.Cut(text, "=")
		if name == "" || reason == "" {
			return nil, usage("--exclude %q: expected CHECK=REASON", text)
		}
		all[name] = reason
	}
	return all, nil
}

// withWorkloads completes the target with what runs in its containers; a runtime
// with networks gets one for them. What it returns removes that.
func withWorkloads(ctx context.Context, target *conformance.Target, options testOptions) (func(), error) {
	ground := sdk.Network{}
	remove := func() {}
	if networker, ok := target.Runtime.(sdk.Networker); ok {
		ground.Name = testProject + "-" + strings.ToLower(rand.Text()[:6])
		ground.Project = ground.Name
		if _, err := networker.EnsureNetwork(ctx, ground); err != nil {
			return nil, err
		}
		remove = func() {
			_ = networker.RemoveNetwork(context.WithoutCancel(ctx), ground) // what it couldn't remove it has said in the checks
		}
	}
	of := func(image string) func(args ...string) sdk.Spec {
		return func(args ...string) sdk.Spec { return sdk.Spec{Image: image, Command: args, Network: ground.Name} }
	}
	target.Workload = of(options.image)
	if options.checked != "" {
		target.Checked = of(options.checked)
	}
	return remove, nil
}

// runs sees whether there is an engine with the test program at all, since
// without it every check would fail for the same reason.
func runs(ctx context.Context, target conformance.Target) error {
	project := testProject + "-" + strings.ToLower(rand.Text()[:6])
	spec := target.Workload("wait")
	spec.Project, spec.Resource, spec.Kind, spec.Name, spec.Pull = project, "first", "container", project+"-first", sdk.PullNever
	spec.Labels = map[string]string{sdk.LabelProject: project, sdk.LabelResource: spec.Resource, sdk.LabelRun: "run-1"}
	id, err := target.Runtime.Start(ctx, spec)
	if sdk.IsCode(err, sdk.CodeImageNotFound) {
		return &sdk.Error{
			Code: sdk.CodeImageNotFound, Err: fmt.Errorf("the engine hasn't got the image %s of the test program: %w", spec.Image, err),
			Hint: "load it: `lightshuttle plugin test-image | docker load`, or with the client of your engine",
		}
	}
	if err != nil && (sdk.IsCode(err, sdk.CodeUnavailable) || sdk.IsCode(err, sdk.CodeDenied) || ctx.Err() != nil) {
		return err
	}
	if err != nil {
		return nil //nolint:nilerr // the checks say it better
	}
	err = target.Runtime.Stop(ctx, id, 0)
	if remover, ok := target.Runtime.(sdk.Remover); ok {
		err = errors.Join(err, remover.Remove(ctx, id))
	}
	if err != nil {
		return exitcode.With(exitcode.Plugin, fmt.Errorf("the first container that it started couldn't be removed: %w", err))
	}
	return nil
}

// testObserver tells of each check as it comes, to who wants to see it.
func (a *app) testObserver(options testOptions) func(conformance.Result) {
	if !options.verbose && !a.terminal {
		return nil
	}
	lines := make(chan struct{}, 1) // results come from several goroutines
	return func(result conformance.Result) {
		if result.Status == conformance.AboveLevel && !options.verbose {
			return
		}
		lines <- struct{}{}
		fmt.Fprintf(a.stderr, "%-11s  %s\n", strings.ReplaceAll(string(result.Status), "_", " "), result.Check)
		<-lines
	}
}

func (a *app) writeTestReport(report conformance.Report, options testOptions) error {
	write := func() error { return report.WriteText(a.stdout, options.verbose) }
	if options.json {
		write = func() error { return report.WriteJSON(a.stdout) }
	}
	if err := write(); err != nil {
		return err
	}
	if report.Passed() {
		return nil
	}
	return exitcode.With(exitcode.Plugin, &sdk.Error{
		Code: sdk.CodeInvalid, Err: fmt.Errorf("plugin %s doesn't keep the contract: %d of %d checks failed", report.Target, report.Count(conformance.Failed), made(report)),
		Hint: "each check says what the contract promises; --only CHECK runs one again",
	})
}

// made is how many checks were really made.
func made(report conformance.Report) int {
	return report.Count(conformance.Passed) + report.Count(conformance.Failed) + report.Count(conformance.Refused)
}
