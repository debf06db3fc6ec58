package hostile

import (
	"github.com/lightshuttle/lightshuttle/host/wasm/wasmtest"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

// crashAttacks stop on an error of their own.
var crashAttacks = []Attack{
	{Group: "crash", Name: "unreachable", kind: trap, says: "unreachable", build: func(*wasmtest.Module) wasmtest.Code { return wasmtest.Unreachable }},
	{
		Group: "crash", Name: "division by zero", kind: trap, says: "divide by zero",
		build: func(*wasmtest.Module) wasmtest.Code { return join(c32(1), c32(0), wasmtest.Code{0x6d}) },
	},
	{
		Group: "crash", Name: "memory that isn't there", kind: trap, says: "out of bounds",
		build: func(*wasmtest.Module) wasmtest.Code { return join(c32(-8), wasmtest.I32Load) },
	},
	{
		Group: "crash", Name: "in initialize", kind: trap,
		build: func(m *wasmtest.Module) wasmtest.Code {
			read := m.Import(abi.ModuleCore, abi.InputRead)
			m.Export(abi.Initialize, m.Func(nil, nil, 0, c32(64), c32(22), c32(0), wasmtest.Call(read), wasmtest.Drop,
				c32(64+19), wasmtest.I32Load8U, c32('a'), wasmtest.I32Xor, wasmtest.I32Eqz, wasmtest.If(wasmtest.Unreachable)))
			return c32(0)
		},
	},
	{
		Group: "indirect call", Name: "outside of the table", kind: trap,
		build: func(m *wasmtest.Module) wasmtest.Code {
			m.Table(m.Func(nil, nil, 0))
			return join(c32(99), wasmtest.CallIndirect(m.Type(nil, i32s(1))))
		},
	},
	{
		Group: "indirect call", Name: "of another type", kind: trap,
		build: func(m *wasmtest.Module) wasmtest.Code {
			m.Table(m.Func(nil, nil, 0))
			return join(c32(0), wasmtest.CallIndirect(m.Type(nil, i32s(1))))
		},
	},
}
