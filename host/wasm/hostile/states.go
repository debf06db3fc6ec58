package hostile

import (
	"context"
	"strings"

	"github.com/lightshuttle/lightshuttle/host/wasm"
	"github.com/lightshuttle/lightshuttle/host/wasm/wasmtest"
	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

// state is an attack whose answer to inspect or list can't be used.
func state(name, document string, kind wasm.Kind) Attack {
	return Attack{
		Group: "state", Name: name, kind: kind,
		exports: func(m *wasmtest.Module) map[abi.Operation]wasmtest.Code {
			code := answer(m, document, 0)
			return map[abi.Operation]wasmtest.Code{abi.Inspect: code, abi.List: code}
		},
		run: func(ctx context.Context, _ *stage, r wasm.Runtime) error {
			if _, err := r.(sdk.Inspector).Inspect(ctx, "c1"); err != nil {
				return err
			}
			_, err := r.List(ctx, "shop")
			return err
		},
	}
}

var stateAttacks = []Attack{
	state("none", `{}`, protocol),
	state("a status that nobody knows", `{"state":{"id":"c1","status":"flying"}}`, protocol),
	state("an id that is a terminal command", `{"state":{"id":"\u001b[2J","status":"running"}}`, protocol),
	state("an id that hides others", `{"state":{"id":"c1\nc2","status":"running"}}`, protocol),
	state("a moment in the year 100,000", `{"state":{"id":"c1","status":"running","started_at":"100000-01-01T00:00:00Z"}}`, protocol),
	state("an exit code that is a text", `{"state":{"id":"c1","status":"exited","exit_code":"x"}}`, protocol),
	state("a port that is none", `{"state":{"id":"c1","status":"running","ports":[{"host_port":99999999}]}}`, protocol),
	state("a list that is an object", `{"state":{"id":"c1","status":"running"},"states":{"0":1}}`, protocol),
	state("100,000 containers", `{"state":{"id":"c1","status":"running"},"states":[`+
		strings.Repeat(`{"id":"c1","status":"exited"},`, 100_000)+`{"id":"c1","status":"dead"}]}`, ""),
}

// numberAttacks give the host numbers that no honest plugin would.
var numberAttacks = []Attack{
	called("number", "a sleep that is over", abi.ModuleCore, abi.Sleep, protocol, "", wasmtest.Const64(-1<<63)),
	called("number", "a sleep of 292 years", abi.ModuleCore, abi.Sleep, "", sdk.CodeTimeout, wasmtest.Const64(1<<63-1)),
	counted("number", "a poll of minus one", abi.IOPoll, "", sdk.CodeInternal, c32(0), c32(-1), wasmtest.Const64(0)),
	counted("number", "a poll of 292 years", abi.IOPoll, "", sdk.CodeTimeout, c32(0), c32(0), wasmtest.Const64(1<<63-1)),
	called("number", "a stream's time at the end of time", abi.ModuleCore, abi.StreamWrite, protocol, "", c32(1), wasmtest.Const64(-1<<63), c32(0), c32(1)),
	called("number", "signal 0", abi.ModuleExec, abi.ExecKill, "", sdk.CodeInternal, c32(0), c32(0)),
	{
		Group: "number", Name: "clocks that aren't there", code: sdk.CodeConflict,
		build: func(m *wasmtest.Module) wasmtest.Code {
			clock := m.Import(abi.ModuleCore, abi.Clock)
			var code wasmtest.Code
			for _, id := range []int32{-1, 3, 99, -1 << 31, 1<<31 - 1} {
				code = join(code, c32(id), wasmtest.Call(clock), wasmtest.Drop)
			}
			return join(code, failWith)
		},
	},
	{
		Group: "number", Name: "levels of a log that aren't there", code: sdk.CodeConflict,
		build: func(m *wasmtest.Module) wasmtest.Code {
			log := m.Import(abi.ModuleCore, abi.Log)
			return join(c32(-7), c32(0), c32(4), wasmtest.Call(log), c32(1<<30), c32(0), c32(4), wasmtest.Call(log), failWith)
		},
	},
}
