package main

import "testing"

func TestChoose(t *testing.T) {
	all, err := choose("")
	if err != nil || len(all) != len(scenarios()) {
		t.Errorf("all: %d scenarios, %v", len(all), err)
	}
	two, err := choose("levels,flat")
	if err != nil || len(two) != 2 || two[0].name != "flat" {
		t.Errorf("two: %+v, %v; want them in the order in which they run", two, err)
	}
	if _, err := choose("flat,flatt"); err == nil {
		t.Error("a scenario that doesn't exist was accepted")
	}
}
