package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/lightshuttle/lightshuttle/cmd/lightshuttle/errorview"
	"github.com/lightshuttle/lightshuttle/cmd/lightshuttle/exitcode"
	"github.com/lightshuttle/lightshuttle/cmd/lightshuttle/logging"
	"github.com/lightshuttle/lightshuttle/config"
	"github.com/lightshuttle/lightshuttle/host/lifecycle"
	"github.com/lightshuttle/lightshuttle/host/wasm"
	"github.com/lightshuttle/lightshuttle/manifest"
)

// app is one run of the program.
type app struct {
	stdout io.Writer
	stderr io.Writer
	// terminal says that stderr is one, colour that it may have colours.
	terminal bool
	colour   bool

	// The flags that every command has.
	file       string
	project    string
	configFile string
	strict     bool

	settings *config.Settings
	log      *relay
	logger   *slog.Logger
}

// run runs the program and returns its exit code.
func run(args []string, stdout, stderr io.Writer) int {
	a := &app{stdout: stdout, stderr: stderr, terminal: isTerminal(stderr), log: &relay{out: stderr}, logger: slog.New(slog.DiscardHandler)}
	a.colour = a.terminal && os.Getenv("NO_COLOR") == ""
	root := newRoot(a)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(context.Background())
	if err == nil {
		return int(exitcode.Done)
	}
	if status, ok := errors.AsType[exitStatus](err); ok {
		return int(status)
	}
	a.report(err)
	return codeOf(err)
}

func isTerminal(w any) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// codeOf is the exit code of an error, with those that only this program knows.
func codeOf(err error) int {
	if exited, ok := errors.AsType[*lifecycle.ExitedError](err); ok {
		return exited.ExitCode
	}
	if interrupted, ok := errors.AsType[*lifecycle.InterruptedError](err); ok {
		return interrupted.ExitCode()
	}
	if _, ok := errors.AsType[manifest.Diagnostics](err); ok {
		return int(exitcode.Wrong)
	}
	if _, ok := errors.AsType[*wasm.Failure](err); ok {
		return int(exitcode.Plugin)
	}
	code := exitcode.Of(err)
	if resourceFailed(err) && code != int(exitcode.Timeout) {
		return int(exitcode.Resource)
	}
	return code
}

// resourceFailed says whether a start failed because of one resource, whatever
// its runtime calls the reason: a registry that can't be reached, say, is no
// missing engine.
func resourceFailed(err error) bool {
	start, ok := errors.AsType[*lifecycle.StartError](err)
	return ok && len(start.Failures) > 0 && start.Failures[0].Resource != ""
}

// report shows an error to the user.
func (a *app) report(err error) {
	if found, ok := errors.AsType[manifest.Diagnostics](err); ok {
		a.diagnostics(found)
		return
	}
	_ = errorview.Write(a.stderr, err, a.colour) // there is nowhere to report it to
	if start, ok := errors.AsType[*lifecycle.StartError](err); ok {
		fmt.Fprintln(a.stderr, afterFailedStart(start))
	}
}

// afterFailedStart says what a start that failed has left, and how to go on.
func afterFailedStart(err *lifecycle.StartError) string {
	switch {
	case err.Kept:
		return "everything was kept for a look: see `lightshuttle ps` and `lightshuttle logs`; `lightshuttle down` removes it"
	case err.Rollback != nil:
		return "not everything could be removed; `lightshuttle down` tries again"
	case err.Interrupted != nil:
		return "all that this start had created was removed"
	}
	return "all that this start had created was removed; `lightshuttle up --no-rollback` keeps it for a look"
}

// diagnostics shows what is wrong with a file.
func (a *app) diagnostics(found manifest.Diagnostics) {
	for _, d := range found {
		text := d.String()
		if a.colour {
			text = coloured(d, text)
		}
		fmt.Fprintln(a.stderr, text)
	}
}

func coloured(d manifest.Diagnostic, text string) string {
	colour := "\x1b[31m"
	if d.Severity == manifest.Warning {
		colour = "\x1b[33m"
	}
	word := ": " + string(d.Severity) + ": "
	return strings.Replace(text, word, ": "+colour+string(d.Severity)+"\x1b[0m: ", 1)
}

// usage is an error in how the program was called.
func usage(format string, args ...any) error {
	return exitcode.With(exitcode.Usage, fmt.Errorf(format, args...))
}

// loadSettings reads the settings for a command; dir is the folder of the
// manifest, if there is one.
func (a *app) loadSettings(command *cobra.Command, dir string) error {
	flags := map[string]string{}
	for _, setting := range config.Table() {
		flag := command.Flags().Lookup(setting.Flag)
		if flag != nil && flag.Changed {
			flags[setting.Flag] = flag.Value.String()
		}
	}
	environ := os.Environ()
	settings, warnings, err := config.Load(config.Sources{
		Flags: flags, Environ: environ, ConfigFile: a.configFile, ProjectDir: dir, UserDir: config.UserDir(environ),
	})
	if err != nil {
		return exitcode.With(codeOfSettings(err), err)
	}
	a.settings = settings
	a.logger = logging.New(a.log, logging.Options{Settings: settings.Log, Terminal: a.terminal, NoColor: !a.colour})
	for _, warning := range warnings {
		a.logger.Warn(fmt.Sprint(warning))
	}
	return nil
}

// codeOfSettings tells a wrong flag, which is a matter of usage, from settings
// that are wrong where they stand.
func codeOfSettings(err error) exitcode.Code {
	wrong, ok := errors.AsType[*config.Error](err)
	if !ok {
		return exitcode.Wrong
	}
	for _, problem := range wrong.Problems {
		if problem.Origin.Source != config.SourceFlag {
			return exitcode.Wrong
		}
	}
	return exitcode.Usage
}
