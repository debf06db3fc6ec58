package hostile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/lightshuttle/lightshuttle/host/wasm"
	"github.com/lightshuttle/lightshuttle/host/wasm/wasmtest"
	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

// echo may be asked for by these arguments alone.
var echo = abi.Requests{Exec: []abi.ExecAccess{
	{Program: "echo", Args: [][]string{{"say", "*"}, {"many", "**"}}, Env: []string{"WHO", "LD_PRELOAD", "PATH"}},
	{Program: "other"},
	{Program: "any", Env: []string{abi.AnyVariable}},
}}

func grantEcho(*stage) wasm.Grants {
	return wasm.Grants{Exec: []wasm.ExecGrant{
		{Program: "echo", Path: "/bin/echo", Args: [][]string{{"say", "**"}, {"many", "a", "**"}}, Env: []string{"WHO"}},
		{Program: "any", Path: "/bin/echo", Env: []string{abi.AnyVariable}},
	}}
}

// program is an attack by one request to run a program.
func program(group, name string, request abi.ExecRequest, code sdk.Code) Attack {
	return Attack{Group: group, Name: name, code: code, requests: echo, grants: grantEcho, options: slow, build: asks(abi.ModuleExec, abi.ExecRun, request)}
}

func say(env ...[2]string) abi.ExecRequest {
	return abi.ExecRequest{Program: "echo", Args: []string{"say", "x"}, Env: env}
}

// script is an attack by a shell script that the user has granted, in their
// mistake.
func script(name, text string) Attack {
	return Attack{
		Group: "program's behaviour", Name: name, code: sdk.CodeTimeout, requests: everything, grants: shell,
		build: asks(abi.ModuleExec, abi.ExecRun, abi.ExecRequest{Program: "sh", Args: []string{"-c", text}}),
	}
}

var execAttacks = []Attack{
	program("exec escape", "what is allowed works", say(), sdk.CodeConflict),
	program("exec escape", "signs of the shell", abi.ExecRequest{Program: "echo", Args: []string{"say", "$(id); `id` | sh > x"}}, sdk.CodeConflict),
	program("exec escape", "a program that isn't requested", abi.ExecRequest{Program: "sh", Args: []string{"-c", "id"}}, sdk.CodeDenied),
	program("exec escape", "a path", abi.ExecRequest{Program: "/bin/sh"}, sdk.CodeDenied),
	program("exec escape", "a path that goes up", abi.ExecRequest{Program: "../../bin/sh"}, sdk.CodeDenied),
	program("exec escape", "a program that isn't granted", abi.ExecRequest{Program: "other"}, sdk.CodeDenied),
	program("exec arguments", "more than is requested", abi.ExecRequest{Program: "echo", Args: []string{"say", "x", "y"}}, sdk.CodeDenied),
	program("exec arguments", "more than is granted", abi.ExecRequest{Program: "echo", Args: []string{"many", "b"}}, sdk.CodeDenied),
	program("exec arguments", "none", abi.ExecRequest{Program: "echo"}, sdk.CodeDenied),
	program("exec arguments", "a NUL byte", abi.ExecRequest{Program: "echo", Args: []string{"say", "a\x00b"}}, sdk.CodeInvalid),
	program("exec arguments", "5000", abi.ExecRequest{Program: "echo", Args: make([]string, 5000)}, sdk.CodeInternal),
	program("exec arguments", "300 KiB", abi.ExecRequest{Program: "echo", Args: []string{"say", strings.Repeat("x", 300<<10)}}, sdk.CodeInternal),
	program("exec environment", "a variable that isn't granted", say([2]string{"HOME", "/"}), sdk.CodeDenied),
	program("exec environment", "LD_PRELOAD", say([2]string{"LD_PRELOAD", "/x.so"}), sdk.CodeDenied),
	program("exec environment", "PATH", say([2]string{"PATH", "/x"}), sdk.CodeDenied),
	program("exec environment", "any variable, where any is granted", abi.ExecRequest{Program: "any", Env: [][2]string{{"HOME", "/"}}}, sdk.CodeConflict),
	program("exec environment", "PATH, where any is granted", abi.ExecRequest{Program: "any", Env: [][2]string{{"PATH", "/x"}}}, sdk.CodeDenied),
	program("exec environment", "a name in a name, where any is granted", abi.ExecRequest{Program: "any", Env: [][2]string{{"PATH=/x:", "y"}}}, sdk.CodeInvalid),
	program("exec environment", "a variable in a name", say([2]string{"WHO=x\x00LD_PRELOAD", "/x.so"}), sdk.CodeInvalid),
	program("exec environment", "a name in a name", say([2]string{"WHO=LD_PRELOAD", "/x.so"}), sdk.CodeInvalid),
	{
		Group: "exec environment", Name: "is no more than granted", requests: everything, grants: shell, options: slow, code: sdk.CodeConflict,
		before: func(*stage) error { return os.Setenv("HOSTILE_SECRET", "hunter2-hunter2") },
		build:  asks(abi.ModuleExec, abi.ExecRun, abi.ExecRequest{Program: "sh", Args: []string{"-c", `test -z "$HOSTILE_SECRET" || exit 1; echo ok`}}),
		after:  func(_ *stage, err error) error { return os.Unsetenv("HOSTILE_SECRET") },
	},
	script("prints for ever", "yes"),
	script("prints for ever on both", "yes >&2 & yes"),
	script("doesn't listen to signals", "trap '' TERM INT HUP; while :; do sleep 60; done"),
	script("leaves a child that keeps its output", "sleep 60 & echo started"),
	script("leaves a child that nobody can find", "setsid sleep 5 & echo started"),
	{
		Group: "program's behaviour", Name: "leaves children", requests: everything, grants: shell, code: sdk.CodeTimeout,
		build: func(m *wasmtest.Module) wasmtest.Code { return c32(0) },
		open: func(ctx context.Context, s *stage, _ []byte, options wasm.Options) (wasm.Runtime, error) {
			text := fmt.Sprintf("trap '' TERM; (trap '' TERM; echo $$ >> %[1]s; sleep 60 & echo $! >> %[1]s; wait) & echo $! >> %[1]s; wait", s.path("pids"))
			return wasm.Open(ctx, Attack{requests: everything, build: asks(abi.ModuleExec, abi.ExecRun, abi.ExecRequest{Program: "sh", Args: []string{"-c", text}})}.Binary(), options)
		},
		after: func(s *stage, _ error) error { return gone(s.path("pids")) },
	},
	{
		// As many as may run are started, and none is waited for.
		Group: "program flood", Name: "at the same time", requests: everything, code: sdk.CodeInternal, options: slow,
		grants: func(s *stage) wasm.Grants {
			return wasm.Grants{Exec: []wasm.ExecGrant{{Program: "sh", Path: s.path("sleeper")}}}
		},
		before: func(s *stage) error {
			return os.WriteFile(s.path("sleeper"), []byte("#!/bin/sh\necho $$ >> "+s.path("pids")+"\nexec sleep 60\n"), 0o700)
		},
		build: func(m *wasmtest.Module) wasmtest.Code {
			spawn := m.Import(abi.ModuleExec, abi.ExecSpawn)
			request := `{"program":"sh","args":[]}`
			m.Data(0, []byte(request))
			return join(wasmtest.Block(wasmtest.Forever(c32(0), c32(int32(len(request))), c32(0), c32(0), wasmtest.Call(spawn), wasmtest.Tee(0), wasmtest.BrIf(1))), wasmtest.Get(0))
		},
		after: func(s *stage, _ error) error {
			// Those that were killed before they could write their number aren't in it.
			if err := gone(s.path("pids")); err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
			return nil
		},
	},
	{
		Group: "program flood", Name: "one after another, for ever", kind: timeout, requests: everything,
		grants: func(*stage) wasm.Grants {
			return wasm.Grants{Exec: []wasm.ExecGrant{{Program: "sh", Path: "/bin/true"}}}
		},
		build: func(m *wasmtest.Module) wasmtest.Code {
			run := m.Import(abi.ModuleExec, abi.ExecRun)
			request := `{"program":"sh","args":[]}`
			m.Data(0, []byte(request))
			return join(wasmtest.Forever(c32(0), c32(int32(len(request))), c32(0), c32(0), wasmtest.Call(run), wasmtest.Drop), c32(0))
		},
	},
	{
		Group: "program flood", Name: "of output that nobody reads", kind: timeout, requests: everything, grants: shell,
		build: func(m *wasmtest.Module) wasmtest.Code {
			spawn := m.Import(abi.ModuleExec, abi.ExecSpawn)
			request := `{"program":"sh","args":["-c","yes"]}`
			m.Data(0, []byte(request))
			return join(wasmtest.Repeat(8, join(c32(0), c32(int32(len(request))), c32(0), c32(0), wasmtest.Call(spawn), wasmtest.Drop)), wasmtest.Forever(), c32(0))
		},
	},
	{
		Group: "request", Name: "that isn't JSON", requests: everything, grants: shell, code: sdk.CodeInvalid,
		build: asks(abi.ModuleExec, abi.ExecRun, json.RawMessage(`"rubbish"`)),
	},
	{
		Group: "request", Name: "nested very deep", requests: everything, grants: shell, code: sdk.CodeInvalid, options: slow,
		build: asks(abi.ModuleExec, abi.ExecRun, deep("args", 9_000)),
	},
	{
		Group: "request", Name: "of 300,000 arguments", requests: everything, grants: shell, code: sdk.CodeInternal, options: slow,
		build: asks(abi.ModuleExec, abi.ExecRun, map[string]any{"program": "sh", "args": make([]string, 300_000)}),
	},
	{
		Group: "request", Name: "with a number that no time has", requests: everything, grants: shell, code: sdk.CodeInvalid,
		build: asks(abi.ModuleExec, abi.ExecRun, json.RawMessage(`{"program":"sh","timeout_ms":9223372036854775807}`)),
	},
	{
		Group: "request", Name: "of more than a MiB", requests: everything, grants: shell, code: sdk.CodeInternal, options: slow,
		build: asks(abi.ModuleExec, abi.ExecRun, map[string]any{"program": "sh", "args": []string{strings.Repeat("x", 1<<20)}}),
	},
}

func deep(field string, depth int) json.RawMessage {
	return json.RawMessage(`{"program":"sh","` + field + `":` + strings.Repeat("[", depth) + strings.Repeat("]", depth) + `}`)
}
