package main

import (
	"strings"
	"testing"
	"time"
)

func TestReadyIn(t *testing.T) {
	// A frame of the engine: a header of eight bytes, then the line.
	log := "\x01\x00\x00\x00\x00\x00\x00\x08serving\n" + "\x01\x00\x00\x00\x00\x00\x00\x1aready 1700000000000000001\n"
	got, err := readyIn(strings.NewReader(log))
	if err != nil || !got.Equal(time.Unix(0, 1700000000000000001)) {
		t.Errorf("ready at %v, %v", got, err)
	}
	for _, log := range []string{"", "serving\n", "ready soon\n"} {
		if _, err := readyIn(strings.NewReader(log)); err == nil {
			t.Errorf("%q: no error", log)
		}
	}
}

func TestMomentsDiffer(t *testing.T) {
	seen := map[time.Duration]bool{}
	for round := range 40 {
		after := readyAfter(round)
		if seen[after] || after > 3*time.Second {
			t.Errorf("round %d: %v", round, after)
		}
		seen[after] = true
	}
}
