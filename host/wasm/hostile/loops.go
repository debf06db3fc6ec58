package hostile

import (
	"github.com/lightshuttle/lightshuttle/host/wasm/wasmtest"
	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

// loopAttacks go on for ever, or nearly so.
var loopAttacks = []Attack{
	{
		Group: "loop", Name: "in an operation", kind: timeout, code: sdk.CodeTimeout,
		build: func(*wasmtest.Module) wasmtest.Code { return join(wasmtest.Forever(), c32(0)) },
	},
	{
		Group: "loop", Name: "that calls the host", kind: timeout,
		build: func(m *wasmtest.Module) wasmtest.Code {
			clock := m.Import(abi.ModuleCore, abi.Clock)
			return join(wasmtest.Forever(c32(0), wasmtest.Call(clock), wasmtest.Drop), c32(0))
		},
	},
	{
		Group: "initialize", Name: "never ends", kind: timeout,
		build: func(m *wasmtest.Module) wasmtest.Code {
			// Stop has to work after it, so it is only the first instance that hangs:
			// there is none, each has a memory of its own. The host has to tell both.
			flag := m.Import(abi.ModuleCore, abi.InputRead)
			hang := m.Func(nil, nil, 0, c32(64), c32(22), c32(0), wasmtest.Call(flag), wasmtest.Drop,
				// "op":"ls_start" has an a at 20, "op":"ls_stop" an o.
				c32(64+19), wasmtest.I32Load8U, c32('a'), wasmtest.I32Xor, wasmtest.I32Eqz, wasmtest.If(wasmtest.Forever()))
			m.Export(abi.Initialize, hang)
			return c32(0)
		},
	},
	{
		Group: "call tree without loops", Name: "2^40 calls", kind: timeout,
		build: func(m *wasmtest.Module) wasmtest.Code {
			f := m.Func(nil, nil, 0)
			for range 40 {
				f = m.Func(nil, nil, 0, wasmtest.Call(f), wasmtest.Call(f))
			}
			return join(wasmtest.Call(f), c32(0))
		},
	},
	{
		Group: "call tree without loops", Name: "through the table", kind: timeout,
		build: func(m *wasmtest.Module) wasmtest.Code {
			typ := m.Type(i32s(1), nil)
			again := join(wasmtest.Get(0), c32(1), wasmtest.I32Sub, c32(0), wasmtest.CallIndirect(typ))
			f := m.Func(i32s(1), nil, 0, wasmtest.Get(0), wasmtest.If(again, again))
			m.Table(f)
			return join(c32(60), wasmtest.Call(f), c32(0))
		},
	},
	{
		Group: "straight code", Name: "memory.fill", kind: timeout,
		build: func(m *wasmtest.Module) wasmtest.Code {
			m.Pages = 1024
			fill := join(c32(0), c32(1), c32(64<<20), wasmtest.MemoryFill)
			return join(wasmtest.Repeat(240, fill), c32(0))
		},
	},
	{
		Group: "straight code", Name: "memory.copy", kind: timeout,
		build: func(m *wasmtest.Module) wasmtest.Code {
			m.Pages = 1024
			move := join(c32(1), c32(0), c32(64<<20-1), wasmtest.MemoryCopy)
			return join(wasmtest.Repeat(240, move), c32(0))
		},
	},
	{
		Group: "straight code", Name: "many functions", kind: timeout,
		build: func(m *wasmtest.Module) wasmtest.Code {
			work := join(wasmtest.Get(0), c32(3), wasmtest.I32Mul, wasmtest.Set(0))
			f := m.Func(i32s(1), nil, 0, wasmtest.Repeat(14000, work))
			for range 20 {
				f = m.Func(i32s(1), nil, 0, wasmtest.Repeat(10, join(wasmtest.Get(0), wasmtest.Call(f))))
			}
			return join(c32(7), wasmtest.Call(f), c32(0))
		},
	},
}
