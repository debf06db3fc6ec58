package enginelog

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"
)

// What is remembered of the time before makes no difference.
func TestTimesAreCutTheSameWithAMemory(t *testing.T) {
	piece := rapid.OneOf(
		rapid.StringMatching(`2026-01-02T03:04:0[56](\.[0-9]{0,11})?(Z|\+01:00)? ?x?`),
		rapid.SampledFrom([]string{"", " ", "2026-01-02T03:04:05.", "2026-01-02T03:04:05.1Z", "2026-01-02T03:04:05.000000001Z  x", "no time"}),
	)
	rapid.Check(t, func(t *rapid.T) {
		var c cutter
		for _, line := range rapid.SliceOfN(piece, 1, 20).Draw(t, "lines") {
			at, rest, found := c.cut([]byte(line))
			wantAt, wantRest, wantFound := CutTime([]byte(line))
			if !at.Equal(wantAt) || found != wantFound || !bytes.Equal(rest, wantRest) {
				t.Fatalf("%q: got %s, %q, %t; want %s, %q, %t", line, at, rest, found, wantAt, wantRest, wantFound)
			}
		}
	})
}
