package hostile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lightshuttle/lightshuttle/host/wasm"
	"github.com/lightshuttle/lightshuttle/host/wasm/wasmtest"
	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

// file is an attack by a file that is no plugin.
func file(group, name, says string, content func() []byte) Attack {
	return Attack{Group: group, Name: name, kind: refused, code: sdk.CodeInvalid, says: says, loads: true, binary: content}
}

func bytesOf(text string) func() []byte { return func() []byte { return []byte(text) } }

// eachOf tries many variants of a module, each of which has to be refused.
func eachOf(group, name string, variants func() [][]byte) Attack {
	return Attack{
		Group: group, Name: name, kind: refused, loads: true, binary: honest,
		open: func(ctx context.Context, _ *stage, _ []byte, options wasm.Options) (wasm.Runtime, error) {
			var last error
			for i, binary := range variants() {
				r, err := wasm.Open(ctx, binary, options)
				if err == nil {
					return nil, errors.Join(fmt.Errorf("variant %d is accepted", i), r.Close())
				}
				if failure, ok := errors.AsType[*wasm.Failure](err); !ok || failure.Kind != refused {
					return nil, fmt.Errorf("variant %d: %w", i, err)
				}
				last = err
			}
			return nil, last
		},
	}
}

func manifest(text string) func(m *wasmtest.Module) {
	return func(m *wasmtest.Module) { m.Manifests = [][]byte{[]byte(text)} }
}

const head = "\x00asm\x01\x00\x00\x00"

// gateAttacks are modules that must not even be compiled.
var gateAttacks = []Attack{
	file("no module", "empty", "the file is empty", bytesOf("")),
	file("no module", "text", "text file", bytesOf("#!/bin/sh\n")),
	file("no module", "program", "program of the operating system", bytesOf("\x7fELF\x02\x01")),
	file("no module", "a component", "component model", bytesOf("\x00asm\x0d\x00\x01\x00")),
	file("no module", "of 33 MiB", "more than the 32 MiB", func() []byte { return make([]byte, 33<<20) }),
	eachOf("truncated", "everywhere", func() [][]byte {
		whole := honest()
		variants := make([][]byte, len(whole))
		for i := range variants {
			variants[i] = whole[:i]
		}
		return variants
	}),
	file("lies about sizes", "a section of 4 GiB", "truncated", bytesOf(head+"\x01\xff\xff\xff\xff\x0f")),
	file("lies about sizes", "a number without end", "number is too long", bytesOf(head+"\x01\x80\x80\x80\x80\x80\x80\x80")),
	file("lies about sizes", "4 billion types", "more than the", bytesOf(head+"\x01\x05\xff\xff\xff\xff\x0f")),
	file("lies about sizes", "50,000 functions that aren't there", "", bytesOf(head+"\x01\x04\x01\x60\x00\x00\x03\x03\xd0\x86\x03")),
	file("lies about sizes", "20,000 sections", "", bytesOf(head+strings.Repeat("\x00\x01\x00", 20_000))),
	eachOf("damaged", "each byte of the head of each section", func() [][]byte {
		var variants [][]byte
		whole := honest()
		for at := 8; at < len(whole); {
			size := int(whole[at+1])
			if size >= 0x80 {
				break // the sections that follow are longer than any of this
			}
			for _, id := range []byte{13, 99, 255} {
				damaged := bytes.Clone(whole)
				damaged[at] = id
				variants = append(variants, damaged)
			}
			damaged := bytes.Clone(whole)
			damaged[at+1] = 0x7f
			variants = append(variants, damaged)
			at += 2 + size
		}
		return variants
	}),
	loading("import", "of a module that nobody has", refused, "there is no module env", func(m *wasmtest.Module) { m.ImportAs("env", "abort", nil, nil) }),
	loading("import", "of a function that nobody has", refused, "newer than", func(m *wasmtest.Module) { m.ImportAs(abi.ModuleCore, "io_write", nil, nil) }),
	loading("import", "of another type", refused, "but it has type", func(m *wasmtest.Module) { m.ImportAs(abi.ModuleCore, abi.Log, nil, nil) }),
	loading("import", "of ABI 2", refused, "built for ABI 2", func(m *wasmtest.Module) { m.ImportAs("lightshuttle_v2", "log", nil, nil) }),
	loading("import", "of a name that is no text", refused, "", func(m *wasmtest.Module) { m.ImportAs(abi.ModuleCore, "\xff\xfe", nil, nil) }),
	loading("import", "of a name that steers the terminal", refused, "", func(m *wasmtest.Module) { m.ImportAs("\x1b[2J", "x\r", nil, nil) }),
	loading("import", "2000 times", refused, "more than", func(m *wasmtest.Module) {
		for range 2000 {
			m.Import(abi.ModuleCore, abi.Clock)
		}
	}),
	loading("export", "no memory", refused, "exports no memory", func(m *wasmtest.Module) { m.HideMemory = true }),
	loading("export", "the marker twice", refused, "two exports", func(m *wasmtest.Module) { m.Marker() }),
	loading("export", "half an ability", refused, "isn't complete", func(m *wasmtest.Module) { m.Op(abi.NetworkEnsure, 0, c32(0)) }),
	{
		Group: "export", Name: "an operation of another type", kind: refused, loads: true, says: "want () -> i32",
		binary: func() []byte {
			m := wasmtest.New("hostile", abi.Requests{})
			m.Marker()
			m.Export("ls_start", m.Func(nil, i32s(2), 0, c32(0), c32(0)))
			return m.Bytes()
		},
	},
	{
		Group: "export", Name: "a function that isn't there", kind: refused, loads: true, says: "isn't there",
		binary: func() []byte {
			m := wasmtest.New("hostile", abi.Requests{})
			m.Marker()
			m.ExportKind("ls_start", 0, 99)
			return m.Bytes()
		},
	},
	loading("start section", "that never ends", refused, "start section", func(m *wasmtest.Module) {
		f := m.Func(nil, nil, 0, wasmtest.Forever())
		m.Start = &f
	}),
	loading("memory that it begins with", "4 GiB", refused, "more than the 64 MiB", func(m *wasmtest.Module) { m.Pages = 65536 }),
	loading("memory that it begins with", "none", refused, "exports no memory", func(m *wasmtest.Module) { m.NoMemory = true }),
	loading("manifest", "none", refused, "no manifest", func(m *wasmtest.Module) { m.Manifests = nil }),
	loading("manifest", "two", refused, "2 manifests", func(m *wasmtest.Module) { m.Manifests = append(m.Manifests, []byte("{}")) }),
	loading("manifest", "of a MiB", refused, "more than the 64 KiB", manifest(strings.Repeat(" ", 1<<20))),
	loading("manifest", "no JSON", refused, "isn't JSON", manifest("name: x")),
	loading("manifest", "nested very deep", refused, "", manifest(`{"abi":1,"name":"x","config_schema":`+strings.Repeat("[", 30_000)+strings.Repeat("]", 30_000)+`}`)),
	loading("manifest", "a name that goes up", refused, "can't name a runtime", manifest(`{"abi":1,"name":"../x"}`)),
	loading("manifest", "a name that steers the terminal", refused, "can't name a runtime", manifest(`{"abi":1,"name":"\u001b[2J"}`)),
	loading("manifest", "an alias twice", refused, "twice", manifest(`{"abi":1,"name":"x","requests":{"exec":[{"program":"a"},{"program":"a"}]}}`)),
	loading("manifest", "a path that goes up", refused, "can't match any", manifest(`{"abi":1,"name":"x","requests":{"http":[{"endpoint":"a","paths":["/../x"]}]}}`)),
	loading("manifest", "patterns that take for ever", refused, "", manifest(`{"abi":1,"name":"x","requests":{"http":[{"endpoint":"a","paths":["/**/a/**/a/**/a/**/a/**/b"]}]}}`)),
	loading("feature", "vectors", refused, "SIMD", func(m *wasmtest.Module) { m.Func(nil, nil, 0, wasmtest.Code{0xfd, 0x0c}) }),
	loading("feature", "atomics", refused, "threads", func(m *wasmtest.Module) { m.Func(nil, nil, 0, wasmtest.Code{0xfe, 0x00}) }),
	loading("feature", "exceptions", refused, "exceptions", func(m *wasmtest.Module) { m.Func(nil, nil, 0, wasmtest.Code{0x08, 0x00}) }),
	loading("feature", "tail calls", refused, "tail calls", func(m *wasmtest.Module) { m.Func(nil, nil, 0, wasmtest.Code{0x12, 0x00}) }),
	loading("invalid code", "an instruction that isn't there", refused, "unknown instruction", func(m *wasmtest.Module) { m.Func(nil, nil, 0, wasmtest.Code{0xff}) }),
	loading("invalid code", "a value that isn't there", refused, "can't be compiled", func(m *wasmtest.Module) { m.Func(nil, nil, 0, wasmtest.Drop) }),
	loading("invalid code", "a value of another type", refused, "can't be compiled", func(m *wasmtest.Module) { m.Func(nil, nil, 0, wasmtest.Const64(1), wasmtest.I32Eqz, wasmtest.Drop) }),
	loading("invalid code", "a function that isn't there", refused, "can't be compiled", func(m *wasmtest.Module) { m.Func(nil, nil, 0, wasmtest.Call(9999)) }),
	loading("invalid code", "a variable that isn't there", refused, "can't be compiled", func(m *wasmtest.Module) { m.Func(nil, nil, 0, wasmtest.Get(9999), wasmtest.Drop) }),
	loading("invalid code", "a label that isn't there", refused, "can't be compiled", func(m *wasmtest.Module) { m.Func(nil, nil, 0, wasmtest.Br(9999)) }),
	loading("invalid code", "a global that isn't there", refused, "can't be compiled", func(m *wasmtest.Module) { m.Func(nil, nil, 0, wasmtest.GlobalGet(9999), wasmtest.Drop) }),
}

// bomb is an attack on the compiler: it is refused, or compiled in its budget.
func bomb(name, says string, change func(m *wasmtest.Module)) Attack {
	a := loading("compile bomb", name, refused, says, change)
	a.options.Limits.Compile = budget
	return a
}

// budget is the time for compiling a bomb.
const budget = 150 * time.Millisecond

var bombAttacks = []Attack{
	bomb("20,000 blocks in each other", "nested more than", func(m *wasmtest.Module) {
		m.Func(nil, nil, 0, wasmtest.Repeat(20_000, wasmtest.Code{0x02, 0x40}), wasmtest.Repeat(20_000, wasmtest.End))
	}),
	bomb("10,000 blocks", "more than 4000 blocks", func(m *wasmtest.Module) { m.Func(nil, nil, 0, wasmtest.Repeat(10_000, wasmtest.Block())) }),
	bomb("50,000 branches", "branches of a br_table", func(m *wasmtest.Module) { m.Func(nil, nil, 0, c32(0), wasmtest.BrTable(make([]uint32, 50_000), 0)) }),
	bomb("50,000 variables", "more than 10000 variables", func(m *wasmtest.Module) { m.Func(nil, nil, 50_000) }),
	bomb("blocks times variables", "a function of 1000 variables", func(m *wasmtest.Module) { m.Func(nil, nil, 1000, wasmtest.Repeat(1000, wasmtest.Block())) }),
	bomb("a function of 140 KiB", "more than the 128 KiB", func(m *wasmtest.Module) { m.Func(nil, nil, 0, wasmtest.Repeat(140<<10, wasmtest.Nop)) }),
	bomb("a row of memory.fill", "which count as", func(m *wasmtest.Module) {
		m.Func(nil, nil, 0, wasmtest.Repeat(1000, join(c32(0), c32(0), c32(0), wasmtest.MemoryFill)))
	}),
	bomb("60,000 functions", "more than the 50000", func(m *wasmtest.Module) {
		for range 60_000 {
			m.Func(nil, nil, 0)
		}
	}),
	// What follows is within the limits of the gate, and each more than can be
	// compiled in the budget.
	bomb("12 MiB of straight code", "takes longer than", func(m *wasmtest.Module) {
		work := join(wasmtest.Get(0), c32(3), wasmtest.I32Mul, wasmtest.Set(0))
		for range 100 {
			m.Func(i32s(1), nil, 0, wasmtest.Repeat(18_000, work))
		}
	}),
	bomb("functions as nested as is allowed", "takes longer than", func(m *wasmtest.Module) {
		nested := join(wasmtest.Repeat(990, join(wasmtest.Code{0x02, 0x40}, wasmtest.Get(0), wasmtest.BrIf(0))), wasmtest.Repeat(990, wasmtest.End))
		for range 200 {
			m.Func(i32s(1), nil, 20, wasmtest.Repeat(4, nested))
		}
	}),
	bomb("functions with as many branches as are allowed", "takes longer than", func(m *wasmtest.Module) {
		targets := make([]uint32, 7990)
		for i := range targets {
			targets[i] = uint32(i % 900)
		}
		for range 150 {
			m.Func(i32s(1), nil, 0, wasmtest.Repeat(900, wasmtest.Code{0x02, 0x40}), wasmtest.Get(0), wasmtest.BrTable(targets, 0), wasmtest.Repeat(900, wasmtest.End))
		}
	}),
	bomb("functions with as many merges as are allowed", "takes longer than", func(m *wasmtest.Module) {
		body := wasmtest.Repeat(1990, join(wasmtest.Get(0), wasmtest.If(wasmtest.Get(1), c32(1), wasmtest.I32Add, wasmtest.Set(1))))
		for range 150 {
			m.Func(i32s(2), nil, 47, body)
		}
	}),
}
