package module

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/lightshuttle/lightshuttle/host/wasm/wasmtest"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

type code = wasmtest.Code

// with returns a plugin that change has changed before its functions were added.
func with(change func(m *wasmtest.Module)) []byte {
	m := wasmtest.New("test", abi.Requests{})
	change(m)
	m.Core(nil)
	return m.Bytes()
}

// withStart returns a plugin with the code of ls_start.
func withStart(start code) []byte {
	m := wasmtest.New("test", abi.Requests{})
	m.Core(map[abi.Operation]code{abi.Start: start})
	return m.Bytes()
}

// only returns a module without the core operations.
func only(change func(m *wasmtest.Module)) []byte {
	m := wasmtest.New("test", abi.Requests{})
	change(m)
	return m.Bytes()
}

func manifests(texts ...string) []byte {
	return with(func(m *wasmtest.Module) {
		m.Manifests = nil
		for _, text := range texts {
			m.Manifests = append(m.Manifests, []byte(text))
		}
	})
}

func TestWhatIsRefused(t *testing.T) {
	good := with(func(*wasmtest.Module) {})
	nested := func(n int) code {
		return wasmtest.Join(wasmtest.Repeat(n, code{0x02, 0x40}), wasmtest.Repeat(n, wasmtest.End), wasmtest.Const(0))
	}
	for name, test := range map[string]struct {
		data []byte
		want string
	}{
		"empty":                {nil, "the file is empty"},
		"text":                 {[]byte("#!/bin/sh\n"), "this is a text file"},
		"text form":            {[]byte("(module)"), "WebAssembly in text form"},
		"program":              {[]byte("\x7fELF\x02\x01"), "a program of the operating system"},
		"compressed":           {[]byte("\x1f\x8b\x08\x00"), "a compressed file"},
		"component":            {[]byte("\x00asm\x0d\x00\x01\x00"), "component model"},
		"another version":      {[]byte("\x00asm\x02\x00\x00\x00"), "version 2"},
		"head only":            {good[:6], "truncated"},
		"truncated":            {good[:len(good)/2], "truncated"},
		"too big":              {make([]byte, MaxSize+1), "more than the 32 MiB"},
		"not a plugin":         {[]byte("\x00asm\x01\x00\x00\x00"), "doesn't export lightshuttle_abi_v1"},
		"a program of WASI":    {only(func(m *wasmtest.Module) { m.Export("_start", m.Func(nil, nil, 0)) }), "a WASM program, not a plugin"},
		"ABI 2":                {only(func(m *wasmtest.Module) { m.Export("lightshuttle_abi_v2", m.Func(nil, nil, 0)) }), "speaks ABI 2"},
		"imports of ABI 2":     {with(func(m *wasmtest.Module) { m.ImportAs("lightshuttle_v2", "log", nil, nil) }), "built for ABI 2"},
		"a newer import":       {with(func(m *wasmtest.Module) { m.ImportAs(abi.ModuleCore, "io_write", nil, nil) }), "a host ABI newer than 1.1: it imports lightshuttle_v1.io_write"},
		"import of wrong type": {with(func(m *wasmtest.Module) { m.ImportAs(abi.ModuleCore, abi.Log, nil, nil) }), "with type () -> (), but it has type (i32, i32, i32) -> ()"},
		"unknown module":       {with(func(m *wasmtest.Module) { m.ImportAs("env", "abort", nil, nil) }), "there is no module env"},
		"unknown of WASI":      {with(func(m *wasmtest.Module) { m.ImportAs(abi.ModuleWASI, "sock_open", nil, nil) }), "which WASI preview 1 doesn't have"},
		"start section":        {with(func(m *wasmtest.Module) { f := m.Func(nil, nil, 0); m.Start = &f }), "has a start section"},
		"memory not exported":  {with(func(m *wasmtest.Module) { m.HideMemory = true }), "exports no memory"},
		"no memory":            {with(func(m *wasmtest.Module) { m.NoMemory = true }), "exports no memory"},
		"memory too big":       {with(func(m *wasmtest.Module) { m.Pages = 65536 }), "more than the 64 MiB"},
		"table too big":        {with(func(m *wasmtest.Module) { m.TableMin = 100_000_000 }), "a table of 100000000 entries"},
		"wrong type of export": {only(func(m *wasmtest.Module) { m.Marker(); m.Export("ls_start", m.Func([]byte{wasmtest.I32}, nil, 0)) }), "export ls_start has type (i32) -> (), want () -> i32"},
		"two results": {only(func(m *wasmtest.Module) {
			m.Marker()
			m.Export("ls_start", m.Func(nil, []byte{wasmtest.I32, wasmtest.I32}, 0, wasmtest.Const(0), wasmtest.Const(0)))
		}), "want () -> i32"},
		"export of a memory": {only(func(m *wasmtest.Module) { m.Marker(); m.ExportKind("ls_start", 2, 0) }), "is a memory, want a function"},
		"an operation missing": {only(func(m *wasmtest.Module) {
			m.Marker()
			m.Op(abi.Start, 0, wasmtest.Const(0))
			m.Op(abi.Inspect, 0, wasmtest.Const(0))
		}), "doesn't export ls_stop"},
		"no way to wait": {only(func(m *wasmtest.Module) {
			m.Marker()
			m.Op(abi.Start, 0, wasmtest.Const(0))
			m.Op(abi.Stop, 0, wasmtest.Const(0))
		}), "ls_wait_healthy (or ls_inspect)"},
		"half an ability":       {with(func(m *wasmtest.Module) { m.Op(abi.NetworkEnsure, 0, wasmtest.Const(0)) }), `the ability "network" isn't complete`},
		"an export twice":       {with(func(m *wasmtest.Module) { m.Marker() }), "two exports of the name"},
		"export of nothing":     {only(func(m *wasmtest.Module) { m.Marker(); m.ExportKind("ls_start", 0, 99) }), "which isn't there"},
		"no manifest":           {manifests(), "no manifest"},
		"two manifests":         {manifests("{}", "{}"), "2 manifests"},
		"manifest too big":      {manifests(strings.Repeat(" ", 65<<10)), "more than the 64 KiB"},
		"manifest not JSON":     {manifests("name: x"), "it isn't JSON"},
		"manifest of ABI 2":     {manifests(`{"abi":2,"name":"x"}`), "for ABI 2"},
		"manifest without name": {manifests(`{"abi":1}`), "can't name a runtime"},
		"name with a path":      {manifests(`{"abi":1,"name":"../x"}`), "can't name a runtime"},
		"alias twice":           {manifests(`{"abi":1,"name":"x","requests":{"exec":[{"program":"a"},{"program":"a"}]}}`), "twice"},
		"bad alias":             {manifests(`{"abi":1,"name":"x","requests":{"http":[{"endpoint":"A b"}]}}`), "can't be an alias"},
		"path with ..":          {manifests(`{"abi":1,"name":"x","requests":{"http":[{"endpoint":"a","paths":["/../x"]}]}}`), "can't match any"},
		"bad variable":          {manifests(`{"abi":1,"name":"x","requests":{"exec":[{"program":"a","env":["A=B"]}]}}`), "no name of a variable"},
		"store too big":         {manifests(`{"abi":1,"name":"x","requests":{"kv":{"bytes":99999999}}}`), "it can have 1 to"},
		"function too big":      {withStart(wasmtest.Join(wasmtest.Repeat(140<<10, wasmtest.Nop), wasmtest.Const(0))), "more than the 128 KiB"},
		"nested too deep":       {withStart(nested(20_000)), "nested more than 1000 deep"},
		"too many blocks":       {withStart(wasmtest.Join(wasmtest.Repeat(10_000, wasmtest.Block()), wasmtest.Const(0))), "more than 4000 blocks"},
		"too big a br_table":    {withStart(wasmtest.Join(wasmtest.Const(0), wasmtest.BrTable(make([]uint32, 50_000), 0), wasmtest.Const(0))), "branches of a br_table"},
		"blocks times variables": {only(func(m *wasmtest.Module) {
			m.Func(nil, nil, 1000, wasmtest.Repeat(1000, wasmtest.Block()))
		}), "a function of 1000 variables and more than 100 blocks"},
		"a row of memory.fill": {withStart(wasmtest.Join(wasmtest.Repeat(1000, wasmtest.Join(wasmtest.Const(0), wasmtest.Const(0), wasmtest.Const(0), wasmtest.MemoryFill)), wasmtest.Const(0))), "which count as"},
		"too many variables":   {only(func(m *wasmtest.Module) { m.Func(nil, nil, 50_000) }), "more than 10000 variables"},
		"vectors":              {withStart(code{0xfd, 0x0c}), "SIMD"},
		"table.grow":           {withStart(code{0xfc, 15, 0}), "reference types"},
		"atomics":              {withStart(code{0xfe, 0x00}), "threads"},
		"exceptions":           {withStart(code{0x08, 0x00}), "exceptions"},
		"tail calls":           {withStart(code{0x12, 0x00}), "tail calls"},
		"no instruction":       {withStart(code{0xff}), "unknown instruction"},
		"a section twice":      {append(bytes.Clone(good), wasmtest.Section(1, []byte{0})...), "in the wrong place or there twice"},
		"unknown section":      {append(bytes.Clone(good), wasmtest.Section(99, nil)...), "unknown section 99"},
		"a lie about counts":   {append([]byte("\x00asm\x01\x00\x00\x00"), wasmtest.Section(1, []byte{0xff, 0xff, 0x7f})...), "more than the"},
		"a number too long":    {append([]byte("\x00asm\x01\x00\x00\x00"), wasmtest.Section(1, []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0x00})...), "a number is too long"},
	} {
		t.Run(name, func(t *testing.T) {
			report, err := Inspect(test.data)
			refusal, ok := errors.AsType[*Error](err)
			if !ok || report != nil || !strings.Contains(refusal.Reason, test.want) {
				t.Errorf("Inspect() = %v, want %q", err, test.want)
			}
		})
	}
}

func TestEveryTruncationIsRefused(t *testing.T) {
	m := wasmtest.New("test", abi.Requests{})
	m.Import(abi.ModuleCore, abi.OutputWrite)
	m.Data(0, []byte("data"))
	m.Core(nil)
	good := m.Bytes()
	if _, err := Inspect(good); err != nil {
		t.Fatal(err)
	}
	for n := range len(good) {
		if _, err := Inspect(good[:n]); err == nil {
			t.Errorf("%d of %d bytes are accepted", n, len(good))
		}
	}
}

func TestTheReportSaysWhatAModuleIs(t *testing.T) {
	m := wasmtest.New("test", abi.Requests{KV: &abi.KVAccess{Bytes: 10}})
	m.Import(abi.ModuleKV, abi.KVGet)
	m.Core(map[abi.Operation]code{
		abi.Inspect: wasmtest.Const(0), abi.List: wasmtest.Const(0), abi.Remove: wasmtest.Const(0), abi.Logs: wasmtest.Const(0),
		abi.NetworkEnsure: wasmtest.Const(0), abi.NetworkRemove: wasmtest.Const(0), abi.Exec: wasmtest.Const(0),
	})
	report, err := Inspect(m.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if report.Level != LevelManaged || fmt.Sprint(report.Missing()) != "[ls_prepare ls_events ls_volume_ensure]" {
		t.Errorf("level = %s, missing %v", report.Level, report.Missing())
	}
	if fmt.Sprint(report.Abilities) != "[run inspect list remove logs exec network]" || !report.Needs(abi.ModuleKV) || report.Needs(abi.ModuleExec) {
		t.Errorf("abilities = %v, imports = %v", report.Abilities, report.Imports)
	}
	if report.Manifest.Name != "test" || len(report.SHA256) != 64 || report.Sizes.MemoryPages != 1 {
		t.Errorf("report = %+v", report)
	}
}

// The table of WASI's functions is the engine's.
func TestTheTypesOfWASIAreTheEngines(t *testing.T) {
	runtime := wazero.NewRuntime(t.Context())
	defer runtime.Close(t.Context())
	engine, err := wasi_snapshot_preview1.NewBuilder(runtime).Compile(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, function := range engine.ExportedFunctions() {
		want := signature{function.ParamTypes(), function.ResultTypes()}
		if got, known := offered[abi.ModuleWASI][name]; !known || !got.equal(want) {
			t.Errorf("%s has type %s, want %s", name, got, want)
		}
	}
	if len(engine.ExportedFunctions()) != len(wasi) {
		t.Errorf("%d functions, want %d", len(wasi), len(engine.ExportedFunctions()))
	}
}

// FuzzInspect shows that no input makes the reader panic, or work for long, and
// that what it accepts stays acceptable when it is hardened.
func FuzzInspect(f *testing.F) {
	f.Add(with(func(*wasmtest.Module) {}))
	f.Add(withStart(wasmtest.Join(wasmtest.Const(0), wasmtest.Const(0), wasmtest.Const(0), wasmtest.MemoryFill, wasmtest.Const(0))))
	f.Add(withStart(wasmtest.Join(wasmtest.Const(0), wasmtest.BrTable([]uint32{0}, 0), wasmtest.Const(0))))
	f.Add(manifests(`{"abi":1,"name":"x","requests":{"http":[{"endpoint":"a","paths":["/v*/**"]}]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		prepared, err := Prepare(data)
		if err != nil {
			if _, ok := errors.AsType[*Error](err); !ok {
				t.Fatalf("error = %v, want one for its author", err)
			}
			return
		}
		again, err := Inspect(prepared.Code)
		if err != nil && !strings.Contains(err.Error(), "more than") {
			t.Fatalf("hardened: %v", err)
		}
		if err == nil && fmt.Sprint(again.Operations) != fmt.Sprint(prepared.Report.Operations) {
			t.Fatalf("operations = %v, want %v", again.Operations, prepared.Report.Operations)
		}
	})
}

// FuzzManifest shows that no manifest makes the reader panic.
func FuzzManifest(f *testing.F) {
	f.Add([]byte(`{"abi":1,"name":"x","requests":{"exec":[{"program":"a","args":[["x","**"]],"env":["A"]}],"kv":{"bytes":1}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		manifest, err := ReadManifest(data)
		if (manifest == nil) == (err == nil) {
			t.Fatalf("ReadManifest() = %v, %v", manifest, err)
		}
	})
}
