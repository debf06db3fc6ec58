package hostile

import (
	"github.com/lightshuttle/lightshuttle/host/wasm/wasmtest"
	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

// wasiImport imports a function of WASI with a number of i32 parameters.
func wasiImport(m *wasmtest.Module, name string, parameters int) uint32 {
	results := i32s(1)
	if name == "proc_exit" {
		results = nil
	}
	return m.ImportAs(abi.ModuleWASI, name, i32s(parameters), results)
}

// wasiAttacks use WASI against its host.
var wasiAttacks = []Attack{
	{
		Group: "exit", Name: "0", kind: exit, says: "exit(0)",
		build: func(m *wasmtest.Module) wasmtest.Code {
			exit := wasiImport(m, "proc_exit", 1)
			return join(c32(0), wasmtest.Call(exit), c32(0))
		},
	},
	{
		Group: "exit", Name: "1", kind: exit, says: "exit(1)",
		build: func(m *wasmtest.Module) wasmtest.Code {
			exit := wasiImport(m, "proc_exit", 1)
			return join(c32(1), wasmtest.Call(exit), c32(0))
		},
	},
	{
		Group: "exit", Name: "with the engine's own code for a deadline", kind: exit,
		build: func(m *wasmtest.Module) wasmtest.Code {
			exit := wasiImport(m, "proc_exit", 1)
			return join(c32(-0x10000001), wasmtest.Call(exit), c32(0))
		},
	},
	{
		Group: "WASI sleep", Name: "an hour", kind: timeout,
		build: func(m *wasmtest.Module) wasmtest.Code {
			poll := wasiImport(m, "poll_oneoff", 4)
			// A subscription to the monotonic clock, relative, an hour in ns.
			subscription := make([]byte, 48)
			subscription[16] = 1
			copy(subscription[24:], []byte{0x00, 0xa0, 0xb8, 0x30, 0x46, 0x03})
			m.Data(0, subscription)
			return join(wasmtest.Forever(c32(0), c32(64), c32(1), c32(128), wasmtest.Call(poll), wasmtest.Drop), c32(0))
		},
	},
	{
		Group: "files", Name: "nothing is open", code: sdk.CodeConflict,
		build: func(m *wasmtest.Module) wasmtest.Code {
			open := m.ImportAs(abi.ModuleWASI, "path_open", []byte{wasmtest.I32, wasmtest.I32, wasmtest.I32, wasmtest.I32, wasmtest.I32, wasmtest.I64, wasmtest.I64, wasmtest.I32, wasmtest.I32}, i32s(1))
			prestat := wasiImport(m, "fd_prestat_get", 2)
			m.Data(0, []byte("../../../../etc/passwd"))
			var tries wasmtest.Code
			for fd := range int32(20) {
				tries = join(tries, c32(fd), c32(0), c32(0), c32(22), c32(0), wasmtest.Const64(-1), wasmtest.Const64(-1), c32(0), c32(64), wasmtest.Call(open),
					wasmtest.I32Eqz, wasmtest.If(wasmtest.Unreachable))
			}
			for fd := int32(3); fd < 20; fd++ {
				tries = join(tries, c32(fd), c32(64), wasmtest.Call(prestat), wasmtest.I32Eqz, wasmtest.If(wasmtest.Unreachable))
			}
			return join(tries, failWith)
		},
	},
	{
		Group: "environment", Name: "is empty", code: sdk.CodeConflict,
		build: func(m *wasmtest.Module) wasmtest.Code {
			env := wasiImport(m, "environ_sizes_get", 2)
			args := wasiImport(m, "args_sizes_get", 2)
			return join(c32(0), c32(4), wasmtest.Call(env), wasmtest.Drop, c32(8), c32(12), wasmtest.Call(args), wasmtest.Drop,
				c32(0), wasmtest.I32Load, c32(8), wasmtest.I32Load, wasmtest.I32Add, wasmtest.If(wasmtest.Unreachable), failWith)
		},
	},
	{
		Group: "random flood", Name: "64 MiB at a time", kind: timeout,
		build: func(m *wasmtest.Module) wasmtest.Code {
			random := wasiImport(m, "random_get", 2)
			m.Pages = 1024
			return join(wasmtest.Repeat(5000, join(c32(0), c32(64<<20), wasmtest.Call(random), wasmtest.Drop)), c32(0))
		},
	},
	{
		Group: "stderr flood", Name: "64 MiB at a time", kind: timeout,
		build: func(m *wasmtest.Module) wasmtest.Code {
			write := wasiImport(m, "fd_write", 4)
			m.Pages = 1024
			m.Data(0, []byte{64, 0, 0, 0, 0, 0, 0xf0, 3}) // one vector: 64 and 63 MiB
			return join(wasmtest.Forever(c32(2), c32(0), c32(1), c32(8), wasmtest.Call(write), wasmtest.Drop), c32(0))
		},
	},
	{
		Group: "stderr flood", Name: "8 million vectors", kind: timeout,
		build: func(m *wasmtest.Module) wasmtest.Code {
			write := wasiImport(m, "fd_write", 4)
			m.Pages = 1024
			return join(wasmtest.Forever(c32(1), c32(0), c32(8<<20-1), c32(8), wasmtest.Call(write), wasmtest.Drop), c32(0))
		},
	},
	{
		Group: "WASI pointers", Name: "outside of the memory", code: sdk.CodeConflict,
		build: func(m *wasmtest.Module) wasmtest.Code {
			write := wasiImport(m, "fd_write", 4)
			random := wasiImport(m, "random_get", 2)
			poll := wasiImport(m, "poll_oneoff", 4)
			return join(
				c32(2), far, c32(-1), far, wasmtest.Call(write), wasmtest.I32Eqz, wasmtest.If(wasmtest.Unreachable),
				far, c32(-1), wasmtest.Call(random), wasmtest.I32Eqz, wasmtest.If(wasmtest.Unreachable),
				far, far, c32(-1), far, wasmtest.Call(poll), wasmtest.I32Eqz, wasmtest.If(wasmtest.Unreachable), failWith)
		},
	},
}
