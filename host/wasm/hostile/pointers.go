package hostile

import (
	"github.com/lightshuttle/lightshuttle/host/wasm/wasmtest"
	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

// far is a pointer outside of a memory of one page.
var far = c32(70000)

// pointerAttacks give the host memory that isn't theirs.
var pointerAttacks = []Attack{
	called("pointer", "output", abi.ModuleCore, abi.OutputWrite, trap, "", far, c32(1)),
	called("pointer", "output with a huge length", abi.ModuleCore, abi.OutputWrite, trap, "", c32(0), c32(-1)),
	called("pointer", "pointer and length overflow", abi.ModuleCore, abi.OutputWrite, trap, "", c32(-16), c32(32)),
	called("pointer", "the last byte and one more", abi.ModuleCore, abi.OutputWrite, trap, "", c32(65535), c32(2)),
	counted("pointer", "input", abi.InputRead, trap, "", far, c32(1), c32(0)),
	counted("pointer", "input behind its end", abi.InputRead, protocol, "", c32(0), c32(1), c32(-1)),
	counted("pointer", "result", abi.ResultRead, trap, "", c32(65000), c32(65000), c32(0)),
	called("pointer", "emit", abi.ModuleCore, abi.Emit, trap, "", far, c32(2)),
	called("pointer", "stream", abi.ModuleCore, abi.StreamWrite, trap, "", c32(1), wasmtest.Const64(0), far, c32(1)),
	called("pointer", "program", abi.ModuleExec, abi.ExecRun, trap, "", far, c32(1), c32(0), c32(0)),
	called("pointer", "standard input", abi.ModuleExec, abi.ExecRun, "", sdk.CodeInvalid, c32(0), c32(1), far, c32(1)),
	called("pointer", "huge request", abi.ModuleExec, abi.ExecSpawn, "", sdk.CodeInternal, c32(0), c32(-1), c32(0), c32(0)),
	called("pointer", "request", abi.ModuleHTTP, abi.HTTPRequestCall, trap, "", far, c32(1), c32(0), c32(0)),
	called("pointer", "key", abi.ModuleKV, abi.KVGet, trap, "", far, c32(1)),
	called("pointer", "huge key", abi.ModuleKV, abi.KVGet, "", sdk.CodeInternal, c32(0), c32(-1)),
	called("pointer", "value", abi.ModuleKV, abi.KVSet, trap, "", c32(0), c32(1), far, c32(1)),
	counted("pointer", "handles", abi.IOPoll, trap, "", c32(65534), c32(4), wasmtest.Const64(0)),
	{
		Group: "pointer", Name: "log", kind: trap,
		build: func(m *wasmtest.Module) wasmtest.Code {
			log := m.Import(abi.ModuleCore, abi.Log)
			return join(c32(1), far, c32(1), wasmtest.Call(log), c32(0))
		},
	},
}
