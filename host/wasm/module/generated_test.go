package module

import (
	"encoding/binary"
	"slices"

	"pgregory.net/rapid"

	"github.com/lightshuttle/lightshuttle/host/wasm/wasmtest"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

// generator writes valid functions of every kind of instruction that plugins
// have. What they compute makes no sense, but is the same each time: floats stay
// on the stack, since the bits of a NaN are anybody's choice.
type generator struct {
	t *rapid.T
	m *wasmtest.Module
	// callable are the functions so far: calls go to those alone, or through the
	// table.
	callable []callable
	globals  []uint32
	// indirect is the type () -> i32, which all functions in the table have.
	indirect uint32

	locals []byte
	labels []byte // the type of each enclosing block, innermost last
}

type callable struct {
	index           uint32
	params, results []byte
}

const noType = 0x40

var allTypes = []byte{wasmtest.I32, wasmtest.I64, wasmtest.F32, wasmtest.F64}

// fuel is how many functions and rounds of loops a module may begin.
const fuel = 2000

// generate makes a module whose export "run" is () -> i32.
func generate(t *rapid.T) []byte {
	m := wasmtest.New("generated", abi.Requests{})
	g := &generator{t: t, m: m}
	g.indirect = m.Type(nil, []byte{wasmtest.I32})
	left := m.Global(fuel)
	for range g.n("globals", 3) {
		g.globals = append(g.globals, m.Global(int32(g.n("global", 1000))))
	}
	m.Data(16, []byte("some data to begin with"))
	var table []uint32
	for i := range 1 + g.n("functions", 5) {
		f := callable{params: g.types("parameters", 3), results: g.types("results", 2)}
		if i%2 == 0 {
			f.params, f.results = nil, []byte{wasmtest.I32}
		}
		f.index = m.FuncOf(f.params, f.results, nil, g.function(f, left))
		if f.params == nil && len(f.results) == 1 && f.results[0] == wasmtest.I32 {
			table = append(table, f.index)
		}
		g.callable = append(g.callable, f)
	}
	m.Table(table...)
	m.Core(nil)
	m.Export("run", table[len(table)-1])
	for i := range 1 + len(g.globals) {
		m.ExportKind("global"+string(rune('0'+i)), kindGlobal, uint32(i))
	}
	return m.Bytes()
}

func (g *generator) n(what string, below int) int { return rapid.IntRange(0, below-1).Draw(g.t, what) }

func (g *generator) types(what string, below int) []byte {
	return rapid.SliceOfN(rapid.SampledFrom(allTypes), 0, below-1).Draw(g.t, what)
}

// function is the code of a function. It stops when the fuel is used up.
func (g *generator) function(f callable, left uint32) wasmtest.Code {
	g.locals, g.labels = f.params, nil
	body := wasmtest.Join(g.burn(left), g.statements(left, 3))
	for _, typ := range f.results {
		body = wasmtest.Join(body, g.value(typ, 3))
	}
	return body
}

func (g *generator) burn(left uint32) wasmtest.Code {
	return wasmtest.Join(wasmtest.GlobalGet(left), wasmtest.Const(1), wasmtest.I32Sub, wasmtest.GlobalSet(left),
		wasmtest.GlobalGet(left), wasmtest.I32Eqz, wasmtest.If(wasmtest.Unreachable))
}

func (g *generator) statements(left uint32, depth int) wasmtest.Code {
	var code wasmtest.Code
	for range 1 + g.n("statements", 4) {
		code = wasmtest.Join(code, g.statement(left, depth))
	}
	return code
}

// within adds code that is enclosed by a block of that type.
func (g *generator) within(typ byte, code func() wasmtest.Code) wasmtest.Code {
	g.labels = append(g.labels, typ)
	defer func() { g.labels = g.labels[:len(g.labels)-1] }()
	return code()
}

func (g *generator) statement(left uint32, depth int) wasmtest.Code {
	if depth == 0 {
		return wasmtest.Nop
	}
	inner := func() wasmtest.Code { return g.statements(left, depth-1) }
	switch g.n("statement", 14) {
	case 0:
		if len(g.globals) == 0 {
			return wasmtest.Nop
		}
		return wasmtest.Join(g.value(wasmtest.I32, depth), wasmtest.GlobalSet(rapid.SampledFrom(g.globals).Draw(g.t, "global")))
	case 1:
		if len(g.locals) == 0 {
			return wasmtest.Nop
		}
		i := g.n("local", len(g.locals))
		return wasmtest.Join(g.value(g.locals[i], depth), wasmtest.Set(uint32(i)))
	case 2:
		return wasmtest.Join(wasmtest.Code{0x02, noType}, g.within(noType, inner), wasmtest.End)
	case 3:
		// A loop goes on as long as a value says, and while there is fuel.
		return wasmtest.Join(wasmtest.Code{0x03, noType}, g.within(noType, func() wasmtest.Code {
			return wasmtest.Join(g.burn(left), inner(), g.value(wasmtest.I32, 1), wasmtest.BrIf(0))
		}), wasmtest.End)
	case 4:
		then := g.within(noType, inner)
		return wasmtest.Join(g.value(wasmtest.I32, depth), wasmtest.Code{0x04, noType}, then, wasmtest.Code{0x05}, g.within(noType, inner), wasmtest.End)
	case 5:
		if label, ok := g.label(noType); ok {
			return wasmtest.Join(g.value(wasmtest.I32, depth), wasmtest.BrIf(label))
		}
	case 6:
		// All of a table's labels have the same type.
		if label, ok := g.label(noType); ok {
			return wasmtest.Join(wasmtest.Code{0x02, noType}, g.within(noType, func() wasmtest.Code {
				return wasmtest.Join(g.value(wasmtest.I32, depth), wasmtest.BrTable([]uint32{0, label + 1}, 0))
			}), wasmtest.End)
		}
	case 7:
		typ := rapid.SampledFrom(allTypes[:2]).Draw(g.t, "type")
		store := map[byte][]byte{wasmtest.I32: {0x36, 0x3a, 0x3b}, wasmtest.I64: {0x37, 0x3c, 0x3d, 0x3e}}[typ]
		op := rapid.SampledFrom(store).Draw(g.t, "store")
		return wasmtest.Join(g.address(depth), g.value(typ, depth), wasmtest.Code{op, 0x00}, binary.AppendUvarint(nil, uint64(g.n("offset", 100))))
	case 8:
		return wasmtest.Join(g.address(depth), g.value(wasmtest.I32, depth), g.small(), wasmtest.MemoryFill)
	case 9:
		return wasmtest.Join(g.address(depth), g.address(depth), g.small(), wasmtest.MemoryCopy)
	case 10:
		return wasmtest.Join(g.value(rapid.SampledFrom(allTypes).Draw(g.t, "type"), depth), wasmtest.Drop)
	case 11:
		if len(g.callable) == 0 {
			return wasmtest.Nop
		}
		f := rapid.SampledFrom(g.callable).Draw(g.t, "function")
		return wasmtest.Join(g.call(f, depth), wasmtest.Repeat(len(f.results), wasmtest.Drop))
	case 12:
		return wasmtest.Join(g.value(wasmtest.I32, 1), wasmtest.If(wasmtest.Unreachable))
	}
	return wasmtest.Nop
}

func (g *generator) call(f callable, depth int) wasmtest.Code {
	var code wasmtest.Code
	for _, typ := range f.params {
		code = wasmtest.Join(code, g.value(typ, depth-1))
	}
	return wasmtest.Join(code, wasmtest.Call(f.index))
}

// label is a block of that type to branch to.
func (g *generator) label(typ byte) (uint32, bool) {
	var fit []int
	for i, label := range slices.Backward(g.labels) {
		if label == typ {
			fit = append(fit, len(g.labels)-1-i)
		}
	}
	if fit == nil {
		return 0, false
	}
	return uint32(rapid.SampledFrom(fit).Draw(g.t, "label")), true
}

// address is mostly one inside of the memory.
func (g *generator) address(depth int) wasmtest.Code {
	if g.n("address", 10) == 0 {
		return g.value(wasmtest.I32, depth)
	}
	return wasmtest.Const(int32(g.n("address", 65536)))
}

func (g *generator) small() wasmtest.Code { return wasmtest.Const(int32(g.n("size", 300))) }

// Instructions by what they take and leave.
var (
	unary = map[byte][]wasmtest.Code{
		wasmtest.I32: {{0x67}, {0x68}, {0x69}, {0xc0}, {0xc1}, {0x45}},
		wasmtest.I64: {{0x79}, {0x7a}, {0x7b}, {0xc2}, {0xc3}, {0xc4}},
		wasmtest.F32: {{0x8b}, {0x8c}, {0x8d}, {0x8e}, {0x8f}, {0x90}, {0x91}},
		wasmtest.F64: {{0x99}, {0x9a}, {0x9b}, {0x9c}, {0x9d}, {0x9e}, {0x9f}},
	}
	binaryOps = map[byte][2]byte{
		wasmtest.I32: {0x6a, 0x78}, wasmtest.I64: {0x7c, 0x8a}, wasmtest.F32: {0x92, 0x98}, wasmtest.F64: {0xa0, 0xa6},
	}
	comparisons = map[byte][2]byte{
		wasmtest.I32: {0x46, 0x4f}, wasmtest.I64: {0x51, 0x5a}, wasmtest.F32: {0x5b, 0x60}, wasmtest.F64: {0x61, 0x66},
	}
	loads = map[byte][]byte{
		wasmtest.I32: {0x28, 0x2c, 0x2d, 0x2e, 0x2f}, wasmtest.I64: {0x29, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35}, wasmtest.F32: {0x2a}, wasmtest.F64: {0x2b},
	}
	conversions = map[byte]map[byte][]wasmtest.Code{
		wasmtest.I32: {wasmtest.I64: {{0xa7}}, wasmtest.F32: {{0xa8}, {0xa9}, {0xfc, 0}, {0xfc, 1}}, wasmtest.F64: {{0xaa}, {0xab}, {0xfc, 2}, {0xfc, 3}}},
		wasmtest.I64: {wasmtest.I32: {{0xac}, {0xad}}, wasmtest.F32: {{0xae}, {0xaf}, {0xfc, 4}, {0xfc, 5}}, wasmtest.F64: {{0xb0}, {0xb1}, {0xfc, 6}, {0xfc, 7}}},
		wasmtest.F32: {wasmtest.I32: {{0xb2}, {0xb3}}, wasmtest.I64: {{0xb4}, {0xb5}}, wasmtest.F64: {{0xb6}}},
		wasmtest.F64: {wasmtest.I32: {{0xb7}, {0xb8}}, wasmtest.I64: {{0xb9}, {0xba}}, wasmtest.F32: {{0xbb}}},
	}
)

func (g *generator) one(what string, codes []wasmtest.Code) wasmtest.Code {
	return codes[g.n(what, len(codes))]
}

// value is code that leaves a value of that type.
func (g *generator) value(typ byte, depth int) wasmtest.Code {
	if depth <= 0 {
		return g.leaf(typ)
	}
	deeper := func(typ byte) wasmtest.Code { return g.value(typ, depth-1) }
	switch g.n("value", 11) {
	case 0:
		return wasmtest.Join(deeper(typ), g.one("unary", unary[typ]))
	case 1:
		bounds := binaryOps[typ]
		return wasmtest.Join(deeper(typ), deeper(typ), wasmtest.Code{bounds[0] + byte(g.n("binary", int(bounds[1]-bounds[0])+1))})
	case 2:
		if typ != wasmtest.I32 {
			break
		}
		of := rapid.SampledFrom(allTypes).Draw(g.t, "compared")
		bounds := comparisons[of]
		return wasmtest.Join(deeper(of), deeper(of), wasmtest.Code{bounds[0] + byte(g.n("comparison", int(bounds[1]-bounds[0])+1))})
	case 3:
		op := rapid.SampledFrom(loads[typ]).Draw(g.t, "load")
		return wasmtest.Join(g.address(depth-1), wasmtest.Code{op, 0x00}, binary.AppendUvarint(nil, uint64(g.n("offset", 100))))
	case 4:
		from := rapid.SampledFrom(slices.DeleteFunc(slices.Clone(allTypes), func(t byte) bool { return t == typ })).Draw(g.t, "from")
		return wasmtest.Join(deeper(from), g.one("conversion", conversions[typ][from]))
	case 5:
		return wasmtest.Join(deeper(typ), deeper(typ), deeper(wasmtest.I32), wasmtest.Code{0x1b})
	case 6:
		// A block with a value that may be left early.
		return wasmtest.Join(wasmtest.Code{0x02, typ}, g.within(typ, func() wasmtest.Code {
			return wasmtest.Join(deeper(typ), deeper(wasmtest.I32), wasmtest.BrIf(0), wasmtest.Drop, deeper(typ))
		}), wasmtest.End)
	case 7:
		condition := deeper(wasmtest.I32)
		then := g.within(typ, func() wasmtest.Code { return deeper(typ) })
		return wasmtest.Join(condition, wasmtest.Code{0x04, typ}, then, wasmtest.Code{0x05}, g.within(typ, func() wasmtest.Code { return deeper(typ) }), wasmtest.End)
	case 8:
		for _, f := range g.callable {
			if len(f.results) == 1 && f.results[0] == typ {
				return g.call(f, depth)
			}
		}
	case 9:
		if typ == wasmtest.I32 {
			return wasmtest.Join(wasmtest.Const(int32(g.n("entry", 4))), wasmtest.CallIndirect(g.indirect))
		}
	case 10:
		if typ == wasmtest.I32 {
			return g.one("memory", []wasmtest.Code{wasmtest.MemorySize, wasmtest.Join(wasmtest.Const(1), wasmtest.MemoryGrow)})
		}
	}
	return g.leaf(typ)
}

func (g *generator) leaf(typ byte) wasmtest.Code {
	for i, local := range g.locals {
		if local == typ && g.n("leaf", 2) == 0 {
			return wasmtest.Get(uint32(i))
		}
	}
	switch typ {
	case wasmtest.I32:
		if len(g.globals) > 0 && g.n("leaf", 3) == 0 {
			return wasmtest.GlobalGet(g.globals[0])
		}
		return wasmtest.Const(rapid.Int32().Draw(g.t, "i32"))
	case wasmtest.I64:
		return wasmtest.Const64(rapid.Int64().Draw(g.t, "i64"))
	case wasmtest.F32:
		return binary.LittleEndian.AppendUint32(wasmtest.Code{0x43}, rapid.Uint32().Draw(g.t, "f32"))
	}
	return binary.LittleEndian.AppendUint64(wasmtest.Code{0x44}, rapid.Uint64().Draw(g.t, "f64"))
}
