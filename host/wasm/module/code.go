package module

// The instructions that matter here.
const (
	opLoop       = 0x03
	opEnd        = 0x0b
	opI32Const   = 0x41
	opMemoryGrow = 0x40
	opMemoryInit = 8
	opDataDrop   = 9
	opMemoryCopy = 10
	opMemoryFill = 11
)

// shape says what follows an instruction's opcode.
type shape byte

const (
	shapeUnknown shape = iota
	shapeNone
	shapeBlock   // a block type
	shapeIndex   // one number
	shapeTwo     // two numbers
	shapeBrTable // labels
	shapeI32     // a signed number
	shapeI64
	shapeF32
	shapeF64
	shapeMisc // a further opcode
	shapeSIMD
	shapeReference
	shapeThreads
	shapeException
	shapeTailCall
)

// shapes has the shape of each instruction of WASM 2.0, and of those beyond it
// for the sake of a message that names the feature.
var shapes = func() (s [256]shape) {
	set := func(from, to int, as shape) {
		for op := from; op <= to; op++ {
			s[op] = as
		}
	}
	set(0x00, 0x01, shapeNone)      // unreachable, nop
	set(0x02, 0x04, shapeBlock)     // block, loop, if
	set(0x05, 0x05, shapeNone)      // else
	set(0x06, 0x0a, shapeException) // try, catch, throw, rethrow, throw_ref
	set(0x0b, 0x0b, shapeNone)      // end
	set(0x0c, 0x0d, shapeIndex)     // br, br_if
	set(0x0e, 0x0e, shapeBrTable)   //
	set(0x0f, 0x0f, shapeNone)      // return
	set(0x10, 0x10, shapeIndex)     // call
	set(0x11, 0x11, shapeTwo)       // call_indirect
	set(0x12, 0x15, shapeTailCall)  // return_call, return_call_indirect, call_ref
	set(0x18, 0x19, shapeException) // delegate, catch_all
	set(0x1a, 0x1b, shapeNone)      // drop, select
	set(0x1c, 0x1c, shapeReference) // select with types
	set(0x1f, 0x1f, shapeException) // try_table
	set(0x20, 0x24, shapeIndex)     // locals and globals
	set(0x25, 0x26, shapeReference) // table.get, table.set
	set(0x28, 0x3e, shapeTwo)       // loads and stores
	set(0x3f, 0x40, shapeIndex)     // memory.size, memory.grow
	set(0x41, 0x41, shapeI32)
	set(0x42, 0x42, shapeI64)
	set(0x43, 0x43, shapeF32)
	set(0x44, 0x44, shapeF64)
	set(0x45, 0xc4, shapeNone)      // numbers
	set(0xd0, 0xd6, shapeReference) // ref.null, ref.is_null, ref.func, …
	set(0xfc, 0xfc, shapeMisc)
	set(0xfd, 0xfd, shapeSIMD)
	set(0xfe, 0xfe, shapeThreads)
	return s
}()

var missing = map[shape]*Error{
	shapeSIMD:      refused("build it without SIMD", "the module uses vectors (SIMD), which plugins don't have"),
	shapeReference: refused("build it without reference types", "the module uses reference types, which plugins don't have"),
	shapeThreads:   refused("build it without threads", "the module uses atomics (threads), which plugins don't have"),
	shapeException: refused("build it without WASM exceptions", "the module uses exceptions, which plugins don't have"),
	shapeTailCall:  refused("build it without tail calls", "the module uses tail calls, which plugins don't have"),
}

// scan passes over the code of a function, which begins at a place behind its
// variables. It bounds what a compiler would choke on, and returns the places
// of instructions that are [unbounded]. Whether the code is valid otherwise is
// the engine's to find out.
//
// A module has millions of instructions, so this is one flat loop.
func scan(body []byte, at, variables int, unboundedAt []int) ([]int, error) {
	depth, blocks, branches := 1, 0, 0
	for at < len(body) {
		from := at
		op := body[at]
		at++
		switch shape := shapes[op]; shape {
		case shapeNone:
			if op != opEnd {
				continue
			}
			depth--
			if depth == 0 && at < len(body) {
				return nil, malformed("code after the end of a function")
			}
		case shapeIndex, shapeI32, shapeI64:
			at = skipNumber(body, at)
			if op == opMemoryGrow {
				unboundedAt = append(unboundedAt, from)
			}
		case shapeTwo:
			at = skipNumber(body, skipNumber(body, at))
		case shapeBlock:
			depth++
			blocks++
			if depth > maxNesting {
				return nil, tooMuch("blocks nested more than %d deep", maxNesting)
			}
			if blocks > maxBlocks {
				return nil, tooMuch("a function of more than %d blocks", maxBlocks)
			}
			if blocks*variables > maxMerges {
				return nil, tooMuch("a function of %d variables and more than %d blocks", variables, maxMerges/variables)
			}
			at = skipNumber(body, at)
		case shapeF32:
			at += 4
		case shapeF64:
			at += 8
		case shapeBrTable:
			c := &cursor{data: body, at: at}
			n := c.count("branches of a br_table", 1, maxBranchTable)
			branches += n
			if branches > maxBranchTable {
				return nil, tooMuch("a function with more than %d branches in its tables", maxBranchTable)
			}
			at = c.at
			for range n + 1 {
				at = skipNumber(body, at)
			}
			if c.err != nil {
				return nil, c.err
			}
		case shapeMisc:
			c := &cursor{data: body, at: at}
			arg := c.misc()
			if c.err != nil {
				return nil, c.err
			}
			at = c.at
			if unbounded(arg) {
				// The engine makes loops of it.
				blocks += blocksOfBulk
				unboundedAt = append(unboundedAt, from)
			}
			if blocks > maxBlocks || blocks*variables > maxMerges {
				return nil, tooMuch("a function with too many blocks and instructions on whole parts of the memory (which count as %d)", blocksOfBulk)
			}
		case shapeUnknown:
			return nil, malformed("unknown instruction 0x%02x", op)
		default:
			return nil, missing[shape]
		}
	}
	if depth != 0 || at != len(body) {
		return nil, errTruncated
	}
	return unboundedAt, nil
}

// skipNumber passes over a number in LEB128, signed or not. Its length is the
// engine's to judge.
func skipNumber(body []byte, at int) int {
	for at < len(body) && body[at] >= 0x80 {
		at++
	}
	return at + 1
}

// unbounded says whether the time that an instruction with the prefix 0xfc takes
// depends on a number that the guest chooses.
func unbounded(op uint32) bool { return op == opMemoryInit || op >= opMemoryCopy }

// misc reads the rest of an instruction with the prefix 0xfc.
func (c *cursor) misc() uint32 {
	op := c.u32()
	switch {
	case op <= 7: // saturating truncation
	case op == opDataDrop, op == opMemoryFill, op == 13: // elem.drop
		c.u32()
	case op == opMemoryInit, op == opMemoryCopy, op == 12, op == 14: // table.init, table.copy
		c.u32()
		c.u32()
	case op >= 15 && op <= 17:
		c.fail(missing[shapeReference])
	default:
		c.fail(malformed("unknown instruction 0xfc %d", op))
	}
	return op
}

// locals passes over the declarations of a function's variables, and returns how
// many they are.
func (c *cursor) locals() int {
	total := int64(0)
	for range c.count("groups of variables", 2, maxLocals) {
		total += int64(c.u32())
		c.valueType()
		if total > maxLocals {
			c.fail(tooMuch("a function of more than %d variables", maxLocals))
		}
		if c.err != nil {
			return 0
		}
	}
	return int(total)
}
