package module

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// mostGap is how many zeros a merged segment may have between its parts. Passing
// over them is faster than beginning another one.
const mostGap = 128

// segment is a part of the memory that a module begins with.
type segment struct {
	at      int64
	content []byte
}

func (s segment) end() int64 { return s.at + int64(len(s.content)) }

// mergeData returns the content of a data section with its segments put
// together, as far as they follow one another: Go's linker makes tens of
// thousands, and setting up an instance took longer than the operation that it
// was for. What the memory holds afterwards is the same, since it begins with
// zeros. A section that isn't as simple as that stays as it is.
func mergeData(section []byte) []byte {
	c := &cursor{data: section}
	n := c.count("data segments", 1, maxDataSegments)
	var merged []segment
	end := int64(-mostGap - 1)
	for range n {
		s := c.activeSegment()
		if c.err != nil || s.end() > MaxMemoryPages<<16 {
			return section
		}
		if gap := s.at - end; gap >= 0 && gap <= mostGap {
			last := &merged[len(merged)-1]
			last.content = append(append(last.content, make([]byte, gap)...), s.content...)
		} else {
			merged = append(merged, segment{s.at, append([]byte(nil), s.content...)})
		}
		end = s.end()
	}
	if c.left() > 0 || overlap(merged) {
		return section
	}
	result := binary.AppendUvarint(make([]byte, 0, len(section)), uint64(len(merged)))
	for _, s := range merged {
		result = append(result, 0, opI32Const)
		result = appendSigned(result, int32(s.at)) //nolint:gosec // within the memory
		result = append(result, opEnd)
		result = binary.AppendUvarint(result, uint64(len(s.content)))
		result = append(result, s.content...)
	}
	return result
}

// overlap says whether what fills a gap of one segment could be in another.
func overlap(segments []segment) bool {
	sorted := slices.SortedFunc(slices.Values(segments), func(a, b segment) int { return cmp.Compare(a.at, b.at) })
	for i := range len(sorted) - 1 {
		if sorted[i].end() > sorted[i+1].at {
			return true
		}
	}
	return false
}

// activeSegment reads a segment that is at a constant place of the memory; any
// other is an error.
func (c *cursor) activeSegment() segment {
	if flags, op := c.byte(), c.byte(); c.err == nil && (flags != 0 || op != opI32Const) {
		c.fail(malformed("a segment that isn't plain"))
	}
	at := c.signed()
	if c.byte() != opEnd {
		c.fail(malformed("a segment that isn't plain"))
	}
	return segment{int64(uint32(at)), c.bytes(c.u32())} //nolint:gosec // an address has no sign
}

// signed reads a signed number in LEB128 of 32 bits.
func (c *cursor) signed() int32 {
	var value int64
	for shift := 0; shift < 35; shift += 7 {
		b := c.byte()
		value |= int64(b&0x7f) << shift
		if b < 0x80 {
			if b&0x40 != 0 {
				value |= -1 << (shift + 7)
			}
			if int64(int32(value)) != value { //nolint:gosec // that is what is asked
				break
			}
			return int32(value) //nolint:gosec // it fits
		}
	}
	c.fail(errNumber(false))
	return 0
}

func appendSigned(data []byte, value int32) []byte {
	for {
		b := byte(value & 0x7f)
		value >>= 7
		if value == 0 && b&0x40 == 0 || value == -1 && b&0x40 != 0 {
			return append(data, b)
		}
		data = append(data, b|0x80)
	}
}
