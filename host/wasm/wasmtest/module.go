package wasmtest

import (
	"encoding/binary"
	"encoding/json"
	"fmt"

	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

// Module is a module under construction. Imports come before functions.
type Module struct {
	types     [][]byte
	imports   [][]byte
	functions []function
	exports   [][]byte
	data      [][]byte
	globals   [][]byte
	table     []uint32
	// Pages is the memory that it begins with, Max its bound; 0 is none.
	Pages, Max uint32
	// NoMemory leaves the memory out; HideMemory doesn't export it.
	NoMemory, HideMemory bool
	// Manifests are its manifests.
	Manifests [][]byte
	// Start is the function of the start section, if it isn't nil.
	Start *uint32
	// TableMin is the number of entries that the table begins with, if it is
	// more than those that are set.
	TableMin uint32
}

type function struct {
	typ  uint32
	body []byte
}

// Manifest is a valid manifest, with requests.
func Manifest(name string, requests abi.Requests) []byte {
	data, err := json.Marshal(abi.Manifest{ABI: abi.Version, Name: name, Version: "1.0.0", License: "MIT", Requests: requests})
	if err != nil {
		panic(err)
	}
	return data
}

// New is a module that exports the marker and a memory of one page, and has a
// manifest.
func New(name string, requests abi.Requests) *Module {
	return &Module{Pages: 1, Manifests: [][]byte{Manifest(name, requests)}}
}

// Import imports a function of the host.
func (m *Module) Import(module, name string) uint32 {
	for _, f := range abi.Functions() {
		if f.Module == module && f.Name == name {
			return m.ImportAs(module, name, bytesOf(f.Params), bytesOf(f.Results))
		}
	}
	panic(fmt.Sprintf("the ABI has no %s.%s", module, name))
}

func bytesOf(list []abi.Type) []byte {
	out := make([]byte, len(list))
	for i, t := range list {
		out[i] = byte(t)
	}
	return out
}

// ImportAs imports a function of any type.
func (m *Module) ImportAs(module, name string, params, results []byte) uint32 {
	if len(m.functions) > 0 {
		panic("imports come before functions")
	}
	typ := m.Type(params, results)
	m.imports = append(m.imports, binary.AppendUvarint(Join(text(module), text(name), []byte{0}), uint64(typ)))
	return uint32(len(m.imports) - 1)
}

// Type adds a type.
func (m *Module) Type(params, results []byte) uint32 {
	entry := Join([]byte{0x60}, vector(len(params), params), vector(len(results), results))
	for i, known := range m.types {
		if string(known) == string(entry) {
			return uint32(i)
		}
	}
	m.types = append(m.types, entry)
	return uint32(len(m.types) - 1)
}

// Func adds a function with a number of i32 variables.
func (m *Module) Func(params, results []byte, locals int, code ...Code) uint32 {
	declared := []byte{0}
	if locals > 0 {
		declared = append(binary.AppendUvarint([]byte{1}, uint64(locals)), I32)
	}
	return m.function(params, results, declared, code)
}

// FuncOf adds a function with variables of any types.
func (m *Module) FuncOf(params, results, locals []byte, code ...Code) uint32 {
	declared := binary.AppendUvarint(nil, uint64(len(locals)))
	for _, typ := range locals {
		declared = append(declared, 1, typ)
	}
	return m.function(params, results, declared, code)
}

func (m *Module) function(params, results, declared []byte, code []Code) uint32 {
	m.functions = append(m.functions, function{m.Type(params, results), Join(declared, Join(code...), End)})
	return uint32(len(m.imports) + len(m.functions) - 1)
}

// Raw adds a function of type () -> i32 with a body as it is.
func (m *Module) Raw(body []byte) uint32 {
	m.functions = append(m.functions, function{m.Type(nil, []byte{I32}), body})
	return uint32(len(m.imports) + len(m.functions) - 1)
}

// Next is the index of the next function.
func (m *Module) Next() uint32 { return uint32(len(m.imports) + len(m.functions)) }

// Export exports a function.
func (m *Module) Export(name string, f uint32) {
	m.exports = append(m.exports, binary.AppendUvarint(Join(text(name), []byte{0}), uint64(f)))
}

// ExportKind exports anything.
func (m *Module) ExportKind(name string, kind byte, i uint32) {
	m.exports = append(m.exports, binary.AppendUvarint(Join(text(name), []byte{kind}), uint64(i)))
}

// Op adds an operation: code that leaves its status, with i32 variables.
func (m *Module) Op(operation abi.Operation, locals int, code ...Code) {
	m.Export(string(operation), m.Func(nil, []byte{I32}, locals, code...))
}

// Marker exports the marker.
func (m *Module) Marker() { m.Export(abi.Marker, m.Func(nil, nil, 0)) }

// Global adds a variable of type i32.
func (m *Module) Global(value int32) uint32 {
	m.globals = append(m.globals, Join([]byte{I32, 1}, Const(value), End))
	return uint32(len(m.globals) - 1)
}

// Data puts bytes into the memory.
func (m *Module) Data(offset int32, content []byte) {
	m.data = append(m.data, Join([]byte{0}, Const(offset), End, vector(len(content), content)))
}

// Table puts functions into the table.
func (m *Module) Table(functions ...uint32) { m.table = functions }

// Bytes is the binary.
func (m *Module) Bytes() []byte {
	out := []byte("\x00asm\x01\x00\x00\x00")
	section := func(id byte, entries [][]byte) {
		if len(entries) > 0 {
			out = append(out, Section(id, vector(len(entries), Join(entries...)))...)
		}
	}
	section(1, m.types)
	section(2, m.imports)
	var declared, bodies [][]byte
	for _, f := range m.functions {
		declared = append(declared, binary.AppendUvarint(nil, uint64(f.typ)))
		bodies = append(bodies, vector(len(f.body), f.body))
	}
	section(3, declared)
	if size := max(uint64(len(m.table)), uint64(m.TableMin)); size > 0 {
		section(4, [][]byte{binary.AppendUvarint([]byte{0x70, 0}, size)})
	}
	if !m.NoMemory {
		memory := binary.AppendUvarint([]byte{0}, uint64(m.Pages))
		if m.Max > 0 {
			memory = binary.AppendUvarint(binary.AppendUvarint([]byte{1}, uint64(m.Pages)), uint64(m.Max))
		}
		section(5, [][]byte{memory})
	}
	section(6, m.globals)
	exports := m.exports
	if !m.NoMemory && !m.HideMemory {
		exports = append([][]byte{append(text(abi.Memory), kindMemory, 0)}, exports...)
	}
	section(7, exports)
	if m.Start != nil {
		out = append(out, Section(8, binary.AppendUvarint(nil, uint64(*m.Start)))...)
	}
	if len(m.table) > 0 {
		entry := Join([]byte{0}, Const(0), End, binary.AppendUvarint(nil, uint64(len(m.table))))
		for _, f := range m.table {
			entry = binary.AppendUvarint(entry, uint64(f))
		}
		section(9, [][]byte{entry})
	}
	section(10, bodies)
	section(11, m.data)
	for _, manifest := range m.Manifests {
		out = append(out, Section(0, Join(text(abi.ManifestSection), manifest))...)
	}
	return out
}

const kindMemory = 2

// Section is a section with its head.
func Section(id byte, content []byte) []byte {
	return append([]byte{id}, vector(len(content), content)...)
}

func text(s string) []byte { return vector(len(s), []byte(s)) }

func vector(n int, content []byte) []byte {
	return append(binary.AppendUvarint(nil, uint64(n)), content...)
}
