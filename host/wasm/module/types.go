package module

import (
	"slices"
	"strings"
)

// signature is the type of a function.
type signature struct{ params, results []byte }

func (s signature) equal(other signature) bool {
	return slices.Equal(s.params, other.params) && slices.Equal(s.results, other.results)
}

// String is the type for people, as "(i32, i32) -> i32".
func (s signature) String() string {
	results := types(s.results)
	if len(s.results) != 1 {
		results = "(" + results + ")"
	}
	return "(" + types(s.params) + ") -> " + results
}

func types(list []byte) string {
	names := make([]string, len(list))
	for i, t := range list {
		names[i] = typeNames[t]
	}
	return strings.Join(names, ", ")
}

const (
	typeI32     = 0x7f
	typeI64     = 0x7e
	typeF32     = 0x7d
	typeF64     = 0x7c
	typeFuncref = 0x70
)

var typeNames = map[byte]string{typeI32: "i32", typeI64: "i64", typeF32: "f32", typeF64: "f64"}

// valueType reads a type of a value. Vectors and references are refused, as the
// engine refuses them later.
func (c *cursor) valueType() byte {
	t := c.byte()
	switch t {
	case typeI32, typeI64, typeF32, typeF64:
	case 0x7b:
		c.fail(refused("build it without SIMD", "the module uses vectors (SIMD), which plugins don't have"))
	case typeFuncref, 0x6f:
		c.fail(refused("build it without reference types", "the module uses reference types, which plugins don't have"))
	default:
		c.fail(malformed("unknown type 0x%02x", t))
	}
	return t
}

func (c *cursor) valueTypes(most int, what string) []byte {
	list := make([]byte, c.count(what, 1, most))
	for i := range list {
		list[i] = c.valueType()
	}
	return list
}

// limits reads the bounds of a memory or a table.
func (c *cursor) limits(what string) (least uint32, most *uint32) {
	switch flag := c.byte(); flag {
	case 0:
		return c.u32(), nil
	case 1:
		least, m := c.u32(), c.u32()
		return least, &m
	case 2, 3:
		c.fail(refused("build it without threads", "the %s is shared, which plugins can't have", what))
	case 4, 5, 6, 7:
		c.fail(refused("build it for wasm32", "the %s has 64-bit addresses (memory64), which plugins can't have", what))
	default:
		c.fail(malformed("unknown limits 0x%02x of the %s", flag, what))
	}
	return 0, nil
}
