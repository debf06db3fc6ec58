package main

import (
	"os"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/lightshuttle/lightshuttle/host/wasm/wasmtest"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

// makeModule writes a WASM module of a kind for a script: module KIND FILE.
func makeModule(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: module KIND FILE")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), moduleOf(ts, args[0]), 0o600))
}

func moduleOf(ts *testscript.TestScript, kind string) []byte {
	m := wasmtest.New("tiny", abi.Requests{KV: &abi.KVAccess{Bytes: 1000}})
	switch kind {
	case "good":
		return answers(m)
	case "other":
		m.Global(1)
		return answers(m)
	case "truncated":
		whole := answers(m)
		return whole[:len(whole)/2]
	case "component":
		return []byte("\x00asm\x0d\x00\x01\x00")
	case "abi2":
		m.Export(abi.MarkerPrefix+"2", m.Func(nil, nil, 0))
		return m.Bytes()
	case "wants-engine":
		m = wasmtest.New("wants-engine", abi.Requests{HTTP: []abi.HTTPAccess{{Endpoint: "engine", Reason: "to start containers"}}})
		return answers(m)
	case "crash":
		m = wasmtest.New("crash", abi.Requests{})
		m.Core(map[abi.Operation]wasmtest.Code{abi.Start: wasmtest.Unreachable})
		return m.Bytes()
	}
	ts.Fatalf("no such kind of module: %s", kind)
	return nil
}

// answers is a module whose start always succeeds.
func answers(m *wasmtest.Module) []byte {
	write := m.Import(abi.ModuleCore, abi.OutputWrite)
	const answer = `{"id":"c1"}`
	m.Data(1024, []byte(answer))
	m.Core(map[abi.Operation]wasmtest.Code{
		abi.Start: wasmtest.Join(wasmtest.Const(1024), wasmtest.Const(int32(len(answer))), wasmtest.Call(write)),
	})
	return m.Bytes()
}
