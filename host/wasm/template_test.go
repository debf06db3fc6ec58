package wasm

import (
	"fmt"
	"testing"

	"github.com/lightshuttle/lightshuttle/host/wasm/wasmtest"
	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

// counting is a module that counts, in a byte of its memory and in a variable, how
// often its instance was initialised and used, and starts containers by the name of
// what it has counted. When it is initialised, its memory grows, and it may do more.
func counting(more func(m *wasmtest.Module) wasmtest.Code) []byte {
	const inits, uses, document, digits = 100, 101, 200, 207
	m := wasmtest.New("counting", abi.Requests{})
	output := m.Import(abi.ModuleCore, abi.OutputWrite)
	extra := more(m)
	variable := m.Global('0')
	plusOne := func(at int32) wasmtest.Code {
		return wasmtest.Join(wasmtest.Const(at), wasmtest.Const(at), wasmtest.I32Load8U, wasmtest.Const(1), wasmtest.I32Add, wasmtest.I32Store8)
	}
	digit := func(i int32, value ...wasmtest.Code) wasmtest.Code {
		return wasmtest.Join(wasmtest.Const(digits+i), wasmtest.Join(value...), wasmtest.I32Store8)
	}
	m.Data(document, []byte(`{"id":"0000"}`))
	m.Data(inits, []byte("00"))
	m.Export(abi.Initialize, m.Func(nil, nil, 0, plusOne(inits),
		wasmtest.GlobalGet(variable), wasmtest.Const(1), wasmtest.I32Add, wasmtest.GlobalSet(variable),
		wasmtest.Const(1), wasmtest.MemoryGrow, wasmtest.Drop, extra))
	m.Core(map[abi.Operation]wasmtest.Code{abi.Start: wasmtest.Join(
		plusOne(uses),
		digit(0, wasmtest.Const(inits), wasmtest.I32Load8U),
		digit(1, wasmtest.GlobalGet(variable)),
		digit(2, wasmtest.Const(uses), wasmtest.I32Load8U),
		digit(3, wasmtest.MemorySize, wasmtest.Const('0'), wasmtest.I32Add),
		wasmtest.Const(99), wasmtest.GlobalSet(variable),
		wasmtest.Const(document), wasmtest.Const(13), wasmtest.Call(output))})
	return m.Bytes()
}

func nothing(*wasmtest.Module) wasmtest.Code { return nil }

// Each operation finds the module as it was after its initialisation, once done,
// and nothing of what others have left behind.
func TestOperationsBeginWithTheInitialisedModule(t *testing.T) {
	for _, unhardened := range []bool{false, true} {
		t.Run(fmt.Sprintf("unhardened %v", unhardened), func(t *testing.T) {
			plugin, err := Load(t.Context(), counting(nothing), Options{Unhardened: unhardened})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = plugin.Close() })
			r := Adapt(plugin, plugin.report, Options{}, plugin.clean)
			pages := ""
			for range 4 {
				id, err := r.Start(t.Context(), sdk.Spec{Project: "shop", Resource: "db"})
				if err != nil {
					t.Fatal(err)
				}
				if pages == "" {
					pages = id[3:]
				}
				if id != "111"+pages {
					t.Errorf("it was initialised, its variable set, used: %s times and of so many pages; wanted 111%s", id, pages)
				}
			}
			if kept := plugin.templates.first.Load() != nil; kept == unhardened {
				t.Errorf("a template is kept: %v", kept)
			}
		})
	}
}

// What a module says to its host while it is initialised, it says each time.
func TestAModuleThatSpeaksWhileItIsInitialisedAlwaysIs(t *testing.T) {
	for name, more := range map[string]func(m *wasmtest.Module) wasmtest.Code{
		"it logs": func(m *wasmtest.Module) wasmtest.Code {
			log := m.Import(abi.ModuleCore, abi.Log)
			return wasmtest.Join(wasmtest.Const(1), wasmtest.Const(200), wasmtest.Const(2), wasmtest.Call(log))
		},
	} {
		t.Run(name, func(t *testing.T) {
			plugin, err := Load(t.Context(), counting(more), Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = plugin.Close() })
			r := Adapt(plugin, plugin.report, Options{}, plugin.clean)
			for range 2 {
				if id, err := r.Start(t.Context(), sdk.Spec{Project: "shop", Resource: "db"}); err != nil || id[:3] != "111" {
					t.Errorf("got %s, %v", id, err)
				}
			}
			if plugin.templates.first.Load() != nil {
				t.Error("a template is kept")
			}
		})
	}
}
