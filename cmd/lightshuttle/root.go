package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/lightshuttle/lightshuttle/cmd/lightshuttle/exitcode"
	"github.com/lightshuttle/lightshuttle/config"
	"github.com/lightshuttle/lightshuttle/host"
	"github.com/lightshuttle/lightshuttle/sdk"
)

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "lightshuttle",
		Short: "Start, gate, supervise and stop a stack of containers",
		Long: `LightShuttle reads lightshuttle.yml and starts its containers in dependency
order, each truly ready before what needs it starts, watches over them, and
leaves nothing behind when it ends.`,
		Example: `  lightshuttle up
  lightshuttle up -f examples/hello-world/lightshuttle.yml
  lightshuttle ps --json`,
		Version:       version,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetVersionTemplate("lightshuttle {{.Version}}\n")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return exitcode.With(exitcode.Usage, err) })
	flags := root.PersistentFlags()
	flags.StringVarP(&a.file, "file", "f", "", "the manifest (default: lightshuttle.yml here or in a folder above)")
	flags.StringVarP(&a.project, "project", "p", "", "act on a project without its manifest")
	flags.StringVar(&a.configFile, "config", "", "a file of settings")
	flags.BoolVar(&a.strict, "strict", false, "treat warnings about the manifest as errors")
	for _, setting := range config.Table() {
		if global[setting.Flag] {
			flags.String(setting.Flag, "", setting.Doc)
		}
	}
	must(root.MarkPersistentFlagFilename("file", "yml", "yaml"))
	must(root.MarkPersistentFlagFilename("config", "yaml", "yml"))
	must(root.RegisterFlagCompletionFunc("runtime", cobra.FixedCompletions(host.Names(), cobra.ShellCompDirectiveNoFileComp)))
	root.AddCommand(
		newUp(a), newDown(a), newPlan(a), newPs(a), newLogs(a), newEvents(a), newRestart(a), newStop(a), newStart(a), newExec(a), newValidate(a), newManifest(a), newSecrets(a),
		newConfig(a), newEnv(a), newRuntimes(a), newPlugin(a), newVersion(a),
	)
	root.InitDefaultCompletionCmd("completion")
	markUsage(root)
	return root
}

// knownCommand refuses what isn't a command, and says what may have been meant.
func knownCommand(command *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	err := &sdk.Error{Code: sdk.CodeInvalid, Err: fmt.Errorf("unknown command %q", args[0])}
	err.Hint = fmt.Sprintf("see `%s --help`", command.CommandPath())
	if meant := command.SuggestionsFor(args[0]); len(meant) > 0 {
		err.Hint = fmt.Sprintf("did you mean `%s %s`?", command.CommandPath(), meant[0])
	}
	return err
}

// global are the settings that are flags of every command.
var global = map[string]bool{"runtime": true, "log-level": true, "log-format": true}

// markUsage gives errors in arguments the exit code for wrong usage. A command
// that only holds others shows its help, and refuses what is none of them.
func markUsage(command *cobra.Command) {
	if command.HasSubCommands() {
		command.Args = knownCommand
		command.RunE = func(command *cobra.Command, _ []string) error { return command.Help() }
		command.SuggestionsMinimumDistance = 2
	}
	check := command.Args
	if check != nil {
		command.Args = func(c *cobra.Command, args []string) error {
			return exitcode.With(exitcode.Usage, check(c, args))
		}
	}
	for _, child := range command.Commands() {
		markUsage(child)
	}
}

// one wants exactly one argument.
func one(what string) cobra.PositionalArgs {
	return func(command *cobra.Command, args []string) error {
		if len(args) == 1 {
			return nil
		}
		return fmt.Errorf("%s needs %s, and nothing else", command.CommandPath(), what)
	}
}

// noArguments refuses arguments.
func noArguments(command *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fmt.Errorf("%s takes no argument %q", command.CommandPath(), args[0])
}

// must is for what only a mistake in this program can make fail.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
