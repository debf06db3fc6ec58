package hostile

import (
	"encoding/json"
	"strings"

	"github.com/lightshuttle/lightshuttle/host/wasm"
	"github.com/lightshuttle/lightshuttle/host/wasm/wasmtest"
	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

var (
	i32s = func(n int) []byte { return []byte(strings.Repeat(string(wasmtest.I32), n)) }
	c32  = wasmtest.Const
	join = wasmtest.Join
)

// slow is for attacks that end by themselves.
var slow = wasm.Options{Limits: wasm.Limits{OpTimeout: patient}}

// failWith ends an operation with a conflict, which no host-made failure is.
var failWith = wasmtest.Const(int32(abi.Conflict))

// unless crashes if there is a zero on the stack: an attack that ends with
// failWith has crashed if it got what it must not get.
var unless = join(wasmtest.I32Eqz, wasmtest.If(wasmtest.Unreachable))

var everything = abi.Requests{
	Exec: []abi.ExecAccess{{Program: "sh"}}, HTTP: []abi.HTTPAccess{{Endpoint: "engine"}}, KV: &abi.KVAccess{Bytes: 1000},
}

// shell grants a shell as "sh".
func shell(*stage) wasm.Grants {
	return wasm.Grants{Exec: []wasm.ExecGrant{{Program: "sh", Path: "/bin/sh"}}}
}

// endpoint grants the stage's server as "engine".
func endpoint(s *stage) wasm.Grants {
	return wasm.Grants{HTTP: []wasm.HTTPGrant{{Endpoint: "engine", Address: s.address}}}
}

// called is an attack that calls a function of the host with arguments, and
// fails with the status that it gets.
func called(group, name, module, function string, kind wasm.Kind, code sdk.Code, arguments ...wasmtest.Code) Attack {
	return Attack{
		Group: group, Name: name, kind: kind, code: code, requests: everything,
		options: wasm.Options{Grants: wasm.Grants{KV: 1000}},
		build: func(m *wasmtest.Module) wasmtest.Code {
			f := m.Import(module, function)
			return join(join(arguments...), wasmtest.Call(f))
		},
	}
}

// counted is like called, for a function that returns a negated status.
func counted(group, name, function string, kind wasm.Kind, code sdk.Code, arguments ...wasmtest.Code) Attack {
	a := called(group, name, abi.ModuleCore, function, kind, code)
	a.build = func(m *wasmtest.Module) wasmtest.Code {
		f := m.Import(abi.ModuleCore, function)
		return join(c32(0), join(arguments...), wasmtest.Call(f), wasmtest.I32Sub)
	}
	return a
}

// answers is an attack whose start leaves a document and a status.
func answers(name, document string, status int32, kind wasm.Kind, code sdk.Code) Attack {
	return Attack{
		Group: "answer", Name: name, kind: kind, code: code,
		build: func(m *wasmtest.Module) wasmtest.Code { return answer(m, document, status) },
	}
}

// answer is code that leaves a document and a status.
func answer(m *wasmtest.Module, document string, status int32) wasmtest.Code {
	write := m.Import(abi.ModuleCore, abi.OutputWrite)
	m.Pages = uint32(2 + len(document)>>16)
	m.Data(1024, []byte(document))
	return join(c32(1024), c32(int32(len(document))), wasmtest.Call(write), wasmtest.Drop, c32(status))
}

// asks is code that makes one call of the host with a document, and fails with
// its status and the host's own document. A success is shown as a conflict, so
// that the document comes out.
func asks(module, function string, document any) func(m *wasmtest.Module) wasmtest.Code {
	return func(m *wasmtest.Module) wasmtest.Code {
		data, err := json.Marshal(document)
		if err != nil {
			panic(err)
		}
		call := m.Import(module, function)
		read := m.Import(abi.ModuleCore, abi.ResultRead)
		write := m.Import(abi.ModuleCore, abi.OutputWrite)
		m.Pages = uint32(max(16, 10+len(data)>>16))
		m.Data(1024, data)
		result := c32(int32(m.Pages<<16) - 256<<10)
		return join(
			c32(1024), c32(int32(len(data))), c32(0), c32(0), wasmtest.Call(call), wasmtest.Set(0),
			result, c32(256<<10), c32(0), wasmtest.Call(read), wasmtest.Set(1),
			result, wasmtest.Get(1), wasmtest.Call(write), wasmtest.Drop,
			wasmtest.Get(0), wasmtest.I32Eqz, wasmtest.If(failWith, wasmtest.Set(0)), wasmtest.Get(0))
	}
}

// floods calls a function for ever, ignoring what it returns.
func floods(group, name string, function string, drops bool, data string, arguments ...wasmtest.Code) Attack {
	return Attack{
		Group: group, Name: name, kind: timeout,
		build: func(m *wasmtest.Module) wasmtest.Code { return flood(m, function, drops, data, arguments...) },
	}
}

func flood(m *wasmtest.Module, function string, drops bool, data string, arguments ...wasmtest.Code) wasmtest.Code {
	f := m.Import(abi.ModuleCore, function)
	m.Pages = 64
	m.Data(0, []byte(data))
	body := join(join(arguments...), wasmtest.Call(f))
	if drops {
		body = join(body, wasmtest.Drop)
	}
	return join(wasmtest.Forever(body), c32(0))
}

// The classes of failures.
const (
	refused  = wasm.Refused
	trap     = wasm.Trap
	timeout  = wasm.Timeout
	exit     = wasm.Exit
	protocol = wasm.Protocol
)
