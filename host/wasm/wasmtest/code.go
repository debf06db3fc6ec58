package wasmtest

import "encoding/binary"

// Code is a piece of a function's body.
type Code = []byte

// The value types.
const (
	I32 byte = 0x7f
	I64 byte = 0x7e
	F32 byte = 0x7d
	F64 byte = 0x7c
)

// Simple instructions.
var (
	Unreachable = Code{0x00}
	Nop         = Code{0x01}
	End         = Code{0x0b}
	Return      = Code{0x0f}
	Drop        = Code{0x1a}
	I32Add      = Code{0x6a}
	I32Sub      = Code{0x6b}
	I32Mul      = Code{0x6c}
	I32Xor      = Code{0x73}
	I32Eqz      = Code{0x45}
	I32LtU      = Code{0x49}
	I32GtU      = Code{0x4b}
	I32WrapI64  = Code{0xa7}
	MemoryGrow  = Code{0x40, 0x00}
	MemorySize  = Code{0x3f, 0x00}
	MemoryFill  = Code{0xfc, 0x0b, 0x00}
	MemoryCopy  = Code{0xfc, 0x0a, 0x00, 0x00}
	I32Load     = Code{0x28, 0x02, 0x00}
	I32Store    = Code{0x36, 0x02, 0x00}
	I32Load8U   = Code{0x2d, 0x00, 0x00}
	I32Store8   = Code{0x3a, 0x00, 0x00}
)

// Join puts pieces behind each other.
func Join(pieces ...Code) Code {
	var all Code
	for _, p := range pieces {
		all = append(all, p...)
	}
	return all
}

// Repeat puts a piece n times behind itself.
func Repeat(n int, piece Code) Code {
	all := make(Code, 0, n*len(piece))
	for range n {
		all = append(all, piece...)
	}
	return all
}

// Const is i32.const.
func Const(n int32) Code { return signed(Code{0x41}, int64(n)) }

// Const64 is i64.const.
func Const64(n int64) Code { return signed(Code{0x42}, n) }

// Call is call.
func Call(f uint32) Code { return index(0x10, f) }

// CallIndirect is call_indirect through table 0.
func CallIndirect(typ uint32) Code { return append(index(0x11, typ), 0x00) }

// Get is local.get, Set local.set, Tee local.tee.
func Get(local uint32) Code { return index(0x20, local) }

// Set is local.set.
func Set(local uint32) Code { return index(0x21, local) }

// Tee is local.tee.
func Tee(local uint32) Code { return index(0x22, local) }

// GlobalGet is global.get.
func GlobalGet(global uint32) Code { return index(0x23, global) }

// GlobalSet is global.set.
func GlobalSet(global uint32) Code { return index(0x24, global) }

// Br is br, BrIf br_if.
func Br(depth uint32) Code { return index(0x0c, depth) }

// BrIf is br_if.
func BrIf(depth uint32) Code { return index(0x0d, depth) }

// Block is a block without a result.
func Block(body ...Code) Code { return enclosed(0x02, 0x40, body) }

// BlockI32 is a block with an i32.
func BlockI32(body ...Code) Code { return enclosed(0x02, I32, body) }

// Loop is a loop without a result.
func Loop(body ...Code) Code { return enclosed(0x03, 0x40, body) }

// If is an if without a result and without an else.
func If(body ...Code) Code { return enclosed(0x04, 0x40, body) }

// BrTable is br_table.
func BrTable(targets []uint32, otherwise uint32) Code {
	code := binary.AppendUvarint(Code{0x0e}, uint64(len(targets)))
	for _, t := range targets {
		code = binary.AppendUvarint(code, uint64(t))
	}
	return binary.AppendUvarint(code, uint64(otherwise))
}

// Forever is a loop that never ends.
func Forever(body ...Code) Code { return Loop(append(body, Br(0))...) }

func enclosed(op, typ byte, body []Code) Code {
	return Join(Code{op, typ}, Join(body...), End)
}

func index(op byte, n uint32) Code { return binary.AppendUvarint(Code{op}, uint64(n)) }

func signed(code Code, n int64) Code {
	for {
		b := byte(n & 0x7f)
		n >>= 7
		if n == 0 && b&0x40 == 0 || n == -1 && b&0x40 != 0 {
			return append(code, b)
		}
		code = append(code, b|0x80)
	}
}
