package module

import (
	"encoding/binary"
	"slices"
	"strconv"

	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

// Prepared is a module that is fit to be compiled.
type Prepared struct {
	Report *Report
	// Code is the hardened module. Where State isn't nil, its memory begins empty.
	Code []byte
	// State is what an instance has beside its code; nil where it can't be told.
	State *State
}

// State is all that instances of a module differ in after they were initialised,
// so that one can go on where another one was.
type State struct {
	// Memory are the parts that are to be written before a module is initialised.
	Memory []Part
	// Variables are the names under which the code exports its variables.
	Variables []string
}

// Part is a part of a memory.
type Part struct {
	At      uint32
	Content []byte
}

const (
	// mostVariables is how many variables are worth it; Go's compiler has ten.
	mostVariables = 64
	variableName  = "lightshuttle.variable."
)

// Instructions with the prefix 0xfc that work on tables.
const (
	opMisc      = 0xfc
	opTableInit = 12
	opTableCopy = 14
)

// split takes out of hardened code what its memory begins with, and exports its
// variables. It returns nil for a module that isn't initialised, or whose tables
// and segments may change while it runs.
func (b *parsed) split(hardened []byte) ([]byte, *State) {
	if b.counted || len(b.memories) != 1 || len(b.variables) > mostVariables || b.changesTables() {
		return hardened, nil
	}
	state := &State{}
	initializes := false
	for _, i := range b.variables {
		state.Variables = append(state.Variables, variableName+strconv.Itoa(int(i)))
	}
	for _, entry := range b.exports {
		initializes = initializes || entry.name == abi.Initialize
		if slices.Contains(state.Variables, entry.name) {
			return hardened, nil
		}
	}
	if !initializes {
		return hardened, nil
	}
	code := append(make([]byte, 0, len(hardened)), hardened[:8]...)
	c := &cursor{data: hardened, at: 8}
	for c.left() > 0 {
		from := c.at
		id := c.byte()
		content := c.bytes(c.u32())
		if c.err != nil {
			return hardened, nil
		}
		switch id {
		case sectionExport:
			code = appendSection(code, id, b.withVariables(content, state.Variables))
		case sectionData:
			parts, ok := partsOf(content, int64(b.memories[0])<<16)
			if !ok {
				return hardened, nil
			}
			state.Memory = parts
		default:
			code = append(code, hardened[from:c.at]...)
		}
	}
	return code, state
}

// changesTables says whether code may change a table or what it is filled from.
func (b *parsed) changesTables() bool {
	for _, body := range b.checkpoints {
		for _, at := range body.places {
			if body.body[at] != opMisc {
				continue
			}
			c := &cursor{data: body.body, at: at + 1}
			if op := c.u32(); op >= opTableInit && op <= opTableCopy {
				return true
			}
		}
	}
	return false
}

func appendSection(code []byte, id byte, content []byte) []byte {
	code = binary.AppendUvarint(append(code, id), uint64(len(content)))
	return append(code, content...)
}

// withVariables is the content of an export section with the variables.
func (b *parsed) withVariables(section []byte, names []string) []byte {
	c := &cursor{data: section}
	c.u32() // the count, which parse has read
	longer := binary.AppendUvarint(make([]byte, 0, 2*len(section)), uint64(len(b.exports)+len(names)))
	longer = append(longer, section[c.at:]...)
	for i, name := range names {
		longer = binary.AppendUvarint(longer, uint64(len(name)))
		longer = append(append(longer, name...), kindGlobal)
		longer = binary.AppendUvarint(longer, uint64(b.variables[i]))
	}
	return longer
}

// partsOf are the segments of a data section, if they are plain and within the
// memory.
func partsOf(section []byte, memory int64) ([]Part, bool) {
	c := &cursor{data: section}
	n := c.count("data segments", 1, maxDataSegments)
	var parts []Part
	for range n {
		s := c.activeSegment()
		if c.err != nil || s.end() > memory {
			return nil, false
		}
		parts = append(parts, Part{uint32(s.at), s.content}) //nolint:gosec // within the memory
	}
	return parts, c.left() == 0
}
