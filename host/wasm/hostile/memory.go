package hostile

import (
	"github.com/lightshuttle/lightshuttle/host/wasm"
	"github.com/lightshuttle/lightshuttle/host/wasm/wasmtest"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// memoryAttacks want more than there is.
var memoryAttacks = []Attack{
	{
		Group: "memory", Name: "grows page by page", options: slow,
		build: func(*wasmtest.Module) wasmtest.Code {
			return join(wasmtest.Block(wasmtest.Forever(c32(1), wasmtest.MemoryGrow, c32(-1), wasmtest.I32Xor, wasmtest.I32Eqz, wasmtest.BrIf(1))), failWith)
		},
		code: sdk.CodeConflict,
	},
	{
		Group: "memory", Name: "grows for ever", kind: timeout,
		build: func(*wasmtest.Module) wasmtest.Code {
			return join(wasmtest.Forever(c32(64), wasmtest.MemoryGrow, wasmtest.Drop), c32(0))
		},
	},
	{
		Group: "memory", Name: "wants all at once",
		build: func(*wasmtest.Module) wasmtest.Code {
			return join(c32(65535), wasmtest.MemoryGrow, c32(-1), wasmtest.I32Xor, wasmtest.If(wasmtest.Unreachable), failWith)
		},
		code: sdk.CodeConflict,
	},
	{
		Group: "memory", Name: "a smaller limit", options: wasm.Options{Limits: wasm.Limits{Memory: 1 << 20}},
		build: func(*wasmtest.Module) wasmtest.Code {
			return join(c32(16), wasmtest.MemoryGrow, c32(-1), wasmtest.I32Xor, wasmtest.If(wasmtest.Unreachable), failWith)
		},
		code: sdk.CodeConflict,
	},
	{
		Group: "recursion", Name: "without end", kind: trap, says: "stack overflow", options: slow,
		build: func(m *wasmtest.Module) wasmtest.Code {
			f := m.Next()
			m.Func(nil, i32s(1), 0, wasmtest.Call(f), c32(1), wasmtest.I32Add)
			return wasmtest.Call(f)
		},
	},
	{
		Group: "recursion", Name: "with big frames", kind: trap, says: "stack overflow", options: slow,
		build: func(m *wasmtest.Module) wasmtest.Code {
			f := m.Next()
			var sum wasmtest.Code
			for i := range uint32(500) {
				sum = join(sum, wasmtest.Get(i), wasmtest.I32Add)
			}
			m.Func(nil, i32s(1), 500, wasmtest.Call(f), sum)
			return wasmtest.Call(f)
		},
	},
}
