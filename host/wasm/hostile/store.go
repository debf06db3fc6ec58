package hostile

import (
	"github.com/lightshuttle/lightshuttle/host/wasm"
	"github.com/lightshuttle/lightshuttle/host/wasm/wasmtest"
	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

// storeAttacks misuse the store.
var storeAttacks = []Attack{
	func() Attack {
		a := called("store", "isn't requested", abi.ModuleKV, abi.KVGet, "", sdk.CodeDenied, c32(0), c32(1))
		a.requests = abi.Requests{}
		return a
	}(),
	func() Attack {
		a := called("store", "isn't granted", abi.ModuleKV, abi.KVGet, "", sdk.CodeDenied, c32(0), c32(1))
		a.options = wasm.Options{}
		return a
	}(),
	called("store", "value too big", abi.ModuleKV, abi.KVSet, "", sdk.CodeInternal, c32(0), c32(1), c32(0), c32(2000)),
	called("store", "key too long", abi.ModuleKV, abi.KVSet, "", sdk.CodeInternal, c32(0), c32(2000), c32(0), c32(1)),
	{
		Group: "store", Name: "key that isn't UTF-8", code: sdk.CodeInvalid, requests: everything, options: wasm.Options{Grants: wasm.Grants{KV: 1000}},
		build: func(m *wasmtest.Module) wasmtest.Code {
			set := m.Import(abi.ModuleKV, abi.KVSet)
			m.Data(0, []byte("\xff\xfe"))
			return join(c32(0), c32(2), c32(0), c32(1), wasmtest.Call(set))
		},
	},
	{
		Group: "store flood", Name: "one key for ever", kind: timeout, requests: everything, options: wasm.Options{Grants: wasm.Grants{KV: 1000}},
		build: func(m *wasmtest.Module) wasmtest.Code {
			set := m.Import(abi.ModuleKV, abi.KVSet)
			return join(wasmtest.Forever(c32(0), c32(1), c32(0), c32(500), wasmtest.Call(set), wasmtest.Drop), c32(0))
		},
	},
}
