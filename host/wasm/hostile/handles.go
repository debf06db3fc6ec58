package hostile

import (
	"time"

	"github.com/lightshuttle/lightshuttle/host/wasm"
	"github.com/lightshuttle/lightshuttle/host/wasm/wasmtest"
	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

// handleAttacks use handles that aren't theirs, or too many.
var handleAttacks = []Attack{
	counted("handle", "read of none", abi.IORead, "", sdk.CodeInternal, c32(0), c32(0), c32(8)),
	counted("handle", "read of one that nobody gave", abi.IORead, "", sdk.CodeInternal, c32(1), c32(0), c32(8)),
	counted("handle", "read of a negative one", abi.IORead, "", sdk.CodeInternal, c32(-1), c32(0), c32(8)),
	called("handle", "close of none", abi.ModuleCore, abi.IOClose, "", sdk.CodeInternal, c32(3)),
	called("handle", "forward of none", abi.ModuleCore, abi.StreamForward, "", sdk.CodeInternal, c32(3), c32(1)),
	called("handle", "log of none", abi.ModuleCore, abi.LogForward, "", sdk.CodeInvalid, c32(0), c32(8)),
	called("handle", "wait for none", abi.ModuleExec, abi.ExecWait, "", sdk.CodeInternal, c32(3)),
	called("handle", "kill of none", abi.ModuleExec, abi.ExecKill, "", sdk.CodeInternal, c32(1), c32(9)),
	counted("handle", "poll of none", abi.IOPoll, "", sdk.CodeInternal, c32(0), c32(1), wasmtest.Const64(0)),
	counted("handle", "poll of a million", abi.IOPoll, "", sdk.CodeInternal, c32(0), c32(1<<20), wasmtest.Const64(0)),
	counted("handle", "poll for ever of nothing", abi.IOPoll, "", sdk.CodeTimeout, c32(0), c32(0), wasmtest.Const64(-1)),
	called("handle", "stream of an unknown kind", abi.ModuleCore, abi.StreamWrite, "", sdk.CodeInvalid, c32(9), wasmtest.Const64(0), c32(0), c32(1)),
	{
		// Each result of run takes a handle, and none is closed.
		Group: "handle leak", Name: "10,000 programs' output", code: sdk.CodeInternal, requests: everything,
		options: wasm.Options{Grants: wasm.Grants{Exec: []wasm.ExecGrant{{Program: "sh", Path: "/bin/true"}}}, Limits: wasm.Limits{OpTimeout: time.Minute}},
		build: func(m *wasmtest.Module) wasmtest.Code {
			write := m.Import(abi.ModuleExec, abi.ExecSpawn)
			request := `{"program":"sh","args":[]}`
			m.Data(0, []byte(request))
			spawn := join(c32(0), c32(int32(len(request))), c32(0), c32(0), wasmtest.Call(write), wasmtest.Tee(0))
			return join(wasmtest.Block(wasmtest.Forever(spawn, wasmtest.BrIf(1))), wasmtest.Get(0))
		},
	},
}
