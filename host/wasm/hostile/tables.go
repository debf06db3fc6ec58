package hostile

import (
	"context"
	"errors"

	"github.com/lightshuttle/lightshuttle/host/wasm"
	"github.com/lightshuttle/lightshuttle/host/wasm/wasmtest"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// tableAttacks misuse tables, data and what works on whole parts of the memory.
var tableAttacks = []Attack{
	loading("table", "a hundred million entries", refused, "a table of", func(m *wasmtest.Module) { m.TableMin = 100_000_000 }),
	loading("table", "that grows", refused, "reference types", func(m *wasmtest.Module) {
		m.Func(nil, nil, 0, wasmtest.Code{0xd0, 0x70}, c32(100_000_000), wasmtest.Code{0xfc, 15, 0}, wasmtest.Drop)
	}),
	loading("table", "of references to the host", refused, "", func(m *wasmtest.Module) {
		m.Func(nil, nil, 0, wasmtest.Code{0xd0, 0x6f}, wasmtest.Drop)
	}),
	{
		// As many entries as are allowed; 64 instances have them all.
		Group: "table", Name: "as large as is allowed, 64 times", options: slow, code: sdk.CodeConflict,
		build: func(m *wasmtest.Module) wasmtest.Code {
			m.TableMin = 100_000
			return failWith
		},
		run: func(ctx context.Context, _ *stage, r wasm.Runtime) error {
			return together(64, func() error { return start(ctx, r) })
		},
	},
	loadsAndTraps("data", "outside of the memory", func(m *wasmtest.Module) { m.Data(65530, []byte("too long for it")) }),
	loadsAndTraps("data", "at a negative place", func(m *wasmtest.Module) { m.Data(-4, []byte("data")) }),
	{
		Group: "data", Name: "200,000 pieces in one place", options: slow, code: sdk.CodeConflict,
		build: func(m *wasmtest.Module) wasmtest.Code {
			for range 199_000 {
				m.Data(64, []byte("x"))
			}
			return failWith
		},
	},
	loading("data", "too many pieces", refused, "data segments", func(m *wasmtest.Module) {
		for range 200_001 {
			m.Data(64, nil)
		}
	}),
	bulk("fill behind the end", c32(65000), c32(0), c32(1000), wasmtest.MemoryFill),
	bulk("fill that overflows", c32(-16), c32(0), c32(32), wasmtest.MemoryFill),
	bulk("copy from outside", c32(0), c32(65000), c32(1000), wasmtest.MemoryCopy),
	bulk("copy that overflows", c32(-1), c32(-1), c32(-1), wasmtest.MemoryCopy),
}

func bulk(name string, code ...wasmtest.Code) Attack {
	return Attack{
		Group: "bulk memory", Name: name, kind: trap, says: "out of bounds",
		build: func(*wasmtest.Module) wasmtest.Code { return join(join(code...), failWith) },
	}
}

// loading is an attack that is refused when it is loaded.
func loading(group, name string, kind wasm.Kind, says string, change func(m *wasmtest.Module)) Attack {
	return Attack{
		Group: group, Name: name, kind: kind, says: says, loads: true,
		build: func(m *wasmtest.Module) wasmtest.Code {
			change(m)
			return failWith
		},
	}
}

// loadsAndTraps is an attack of which no instance can be made: every operation
// fails.
func loadsAndTraps(group, name string, change func(m *wasmtest.Module)) Attack {
	a := loading(group, name, trap, "", change)
	a.run = func(ctx context.Context, _ *stage, r wasm.Runtime) error {
		defer r.Close()
		return start(ctx, r)
	}
	a.open = func(ctx context.Context, _ *stage, binary []byte, options wasm.Options) (wasm.Runtime, error) {
		r, err := wasm.Open(ctx, binary, options)
		if err != nil {
			return nil, err
		}
		return nil, errors.Join(start(ctx, r), r.Close())
	}
	return a
}
