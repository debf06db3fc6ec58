package hostile

import (
	"strings"

	"github.com/lightshuttle/lightshuttle/host/wasm/wasmtest"
	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

// answerAttacks leave a result that breaks the ABI.
var answerAttacks = []Attack{
	answers("nothing", "", 0, protocol, ""),
	answers("no JSON", "\x00\xff rubbish", 0, protocol, ""),
	answers("JSON of another shape", `{"id":{"a":[1,2]}}`, 0, protocol, ""),
	answers("a list", `[1,2,3]`, 0, protocol, ""),
	answers("cut off", `{"id":"c1`, 0, protocol, ""),
	answers("two documents", `{"id":"c1"}{"id":"c2"}`, 0, protocol, ""),
	answers("an id that is a terminal command", "{\"id\":\"\\u001b[2Jgone\"}", 0, protocol, ""),
	answers("an id of a megabyte", `{"id":"`+strings.Repeat("x", 1<<20)+`"}`, 0, protocol, ""),
	answers("nested very deep", strings.Repeat("[", 1<<20), 0, protocol, ""),
	answers("a status from the future", `{"message":"new"}`, 77, "", sdk.CodeInternal),
	answers("a negative status", `{}`, -5, "", sdk.CodeInternal),
	answers("the smallest status", `{}`, -1<<31, "", sdk.CodeInternal),
	answers("an error document that isn't JSON", "sorry", 3, protocol, ""),
	answers("an error document that is too big", `{"message":"`+strings.Repeat("x", 100<<10)+`"}`, 3, protocol, ""),
	answers("an error without a document", "", 2, "", sdk.CodeNotFound),
	answers("cancelled though nobody asked for it", "", 7, "", sdk.CodeCancelled),
	{
		Group: "output limit", Name: "5 MiB", code: sdk.CodeInternal,
		build: func(m *wasmtest.Module) wasmtest.Code {
			write := m.Import(abi.ModuleCore, abi.OutputWrite)
			m.Pages = 100
			return join(c32(0), c32(5<<20), wasmtest.Call(write))
		},
	},
	{
		Group: "output limit", Name: "for ever", kind: timeout,
		build: func(m *wasmtest.Module) wasmtest.Code {
			write := m.Import(abi.ModuleCore, abi.OutputWrite)
			m.Pages = 100
			return join(wasmtest.Forever(c32(0), c32(4<<20), wasmtest.Call(write), wasmtest.Drop), c32(0))
		},
	},
}
