package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"

	"github.com/lightshuttle/lightshuttle/host"
)

// TestMain makes the program itself a command, for scripts and for tests that
// run it as a process of its own.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == host.SuperviseCommand {
		os.Exit(supervise(os.Args[2]))
	}
	testscript.Main(withoutLeaks{m}, map[string]func(){
		"lightshuttle": func() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) },
	})
}

// withoutLeaks fails when goroutines are left after all tests.
type withoutLeaks struct{ m *testing.M }

func (w withoutLeaks) Run() int {
	// Locks and sockets of tests are none of the user's.
	dir, err := os.MkdirTemp("", "run-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.Setenv("XDG_RUNTIME_DIR", dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := w.m.Run()
	if code != 0 {
		return code
	}
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// TestScripts runs what needs no engine; see testdata/script.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "module": makeModule},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", env.WorkDir+"/home")
			env.Setenv("XDG_RUNTIME_DIR", env.WorkDir+"/run")
			// Whatever a script does, it finds no engine.
			env.Setenv("DOCKER_HOST", "unix://"+env.WorkDir+"/no.sock")
			return os.Mkdir(env.WorkDir+"/run", 0o700)
		},
	})
}

// exits runs a program that must end with the code given: exits CODE PROGRAM
// [ARGUMENT...].
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARGUMENT...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		failed, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = failed.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d; it printed:\n%s%s", got, want, ts.ReadFile("stdout"), ts.ReadFile("stderr"))
	}
}
