package module

import (
	"bytes"
	"encoding/binary"
	"testing"

	"pgregory.net/rapid"
)

// dataSection writes segments as a linker does.
func dataSection(segments []segment) []byte {
	section := binary.AppendUvarint(nil, uint64(len(segments)))
	for _, s := range segments {
		section = append(section, 0, opI32Const)
		section = append(appendSigned(section, int32(s.at)), opEnd)
		section = append(binary.AppendUvarint(section, uint64(len(s.content))), s.content...)
	}
	return section
}

// loaded is the memory after all segments were copied, in their order.
func loaded(t interface{ Fatal(...any) }, section []byte) []byte {
	memory := make([]byte, 1<<20)
	c := &cursor{data: section}
	for range c.u32() {
		s := c.activeSegment()
		copy(memory[s.at:], s.content)
	}
	if c.err != nil || c.left() > 0 {
		t.Fatal("the section is damaged:", c.err)
	}
	return memory
}

// Whatever the segments are, overlapping and out of order too, the memory begins
// as before.
func TestMergedSegmentsLoadTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var segments []segment
		at := 0
		for range rapid.IntRange(0, 30).Draw(t, "segments") {
			content := rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "content")
			at = max(0, at+rapid.SampledFrom([]int{0, 0, 1, mostGap, mostGap + 1, 5000, -1, -300}).Draw(t, "gap"))
			segments = append(segments, segment{int64(at), content})
			at += len(content)
		}
		section := dataSection(segments)
		if merged := mergeData(section); !bytes.Equal(loaded(t, merged), loaded(t, section)) {
			t.Fatal("the memory differs")
		}
	})
}

func TestSegmentsAreMerged(t *testing.T) {
	many := []segment{{16, []byte("a")}, {17, []byte("b")}, {20, []byte("c")}, {5000, []byte("d")}, {4000, []byte("e")}, {4001, []byte("f")}}
	if merged, want := mergeData(dataSection(many)), dataSection([]segment{{16, []byte("ab\x00\x00c")}, {5000, []byte("d")}, {4000, []byte("ef")}}); !bytes.Equal(merged, want) {
		t.Errorf("got % x, want % x", merged, want)
	}
	for name, section := range map[string][]byte{
		"passive": {1, 1, 1, 'x'}, "of another memory": {1, 2, 0, 0x41, 0, 0x0b, 1, 'x'}, "at a global": {1, 0, 0x23, 0, 0x0b, 1, 'x'},
		"cut off": {2, 0, 0x41, 0, 0x0b, 1, 'x'}, "with a rest": {1, 0, 0x41, 0, 0x0b, 1, 'x', 'y'},
		"outside of all memory": {1, 0, 0x41, 0x7f, 0x0b, 1, 'x'}, "twice at a place": dataSection([]segment{{8, []byte("ab")}, {9, []byte("c")}}),
	} {
		if merged := mergeData(section); !bytes.Equal(merged, section) {
			t.Errorf("%s: % x became % x", name, section, merged)
		}
	}
}

func TestSignedNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.Int32().Draw(t, "number")
		c := &cursor{data: appendSigned(nil, want)}
		if got := c.signed(); got != want || c.err != nil || c.left() != 0 {
			t.Fatalf("%d became %d, %v", want, got, c.err)
		}
	})
}
