package main

import (
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/lightshuttle/lightshuttle/manifest"
)

// Whatever is edited in whatever random stack, the manifest is right.
func TestRandomStacksAreValid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dice := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		stack := randomStack(dice)
		for range rapid.IntRange(0, 20).Draw(t, "edits") {
			stack.edit(dice)
		}
		text := stack.manifest("shop")
		parsed, found := manifest.Parse("lightshuttle.yml", []byte(text))
		if len(found) == 0 {
			_, found = parsed.Resolve(manifest.Inputs{})
		}
		if len(found) > 0 {
			t.Fatalf("%v\n%s", found, text)
		}
	})
}

// A copy is out of reach of edits.
func TestClone(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 1))
	stack := randomStack(dice)
	copied := stack.clone()
	before := copied.manifest("shop")
	for range 20 {
		stack.edit(dice)
	}
	if copied.manifest("shop") != before {
		t.Error("an edit reached the copy")
	}
}
