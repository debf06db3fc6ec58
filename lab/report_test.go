package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func someOutcomes() []outcome {
	up := combination{Scenario: scenarioUp, Kind: faultHang}
	down := combination{Scenario: scenarioDown, Kind: faultFail}
	return []outcome{
		{combination: up, Reached: true},
		{combination: up, Reached: true, Reported: true},
		{combination: up, Reached: true, Leaked: true, Problems: []string{"LEAK"}},
		{combination: up},
		{combination: down, Reached: true, Problems: []string{"STUCK"}},
	}
}

func TestTable(t *testing.T) {
	got := table(someOutcomes())
	for _, want := range []string{"| up | hang | 3 | 2 | 1 | 1 | 1 | 1 |\n", "| down | 500 | 1 | 0 | 0 | 0 | 1 | 0 |\n", "| **all** |  | 4 | 2 | 1 | 1 | 2 | 1 |\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("the table lacks %q:\n%s", want, got)
		}
	}
	if err := verdict(someOutcomes()); err == nil || !strings.Contains(err.Error(), "2 of 5") {
		t.Errorf("the verdict is %v", err)
	}
}

func TestPage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(path, []byte("before\n"+pageBegin+"old figures\n"+pageEnd+"\nafter\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := writePage(path, someOutcomes(), time.Hour, time.Unix(0, 0).UTC()); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(text), "before\n") || !strings.HasSuffix(string(text), "\nafter\n") || strings.Contains(string(text), "old figures") ||
		strings.Count(string(text), "5 combinations, in 1h0m0s, on 1970-01-01.") != 1 {
		t.Errorf("the page is\n%s", text)
	}
	if err := writePage(os.DevNull, nil, 0, time.Time{}); err == nil {
		t.Error("a page without a place for the figures was written")
	}
}

// A sample is the same for the same seed, another one for another, and has all
// kinds of faults in it.
func TestChoose(t *testing.T) {
	var places []site
	for _, path := range []string{"/a", "/b", "/c", "/d", "/e", "/f", "/g", "/h"} {
		places = append(places, site{Method: "GET", Path: path, N: 1})
	}
	all := recording{up: places, down: places, events: 9}.combinations()
	first := choose(all, matrixOptions{sample: 60, seed: 1})
	if !slices.Equal(first, choose(all, matrixOptions{sample: 60, seed: 1})) {
		t.Error("the same seed chose others")
	}
	if slices.Equal(first, choose(all, matrixOptions{sample: 60, seed: 2})) {
		t.Error("another seed chose the same")
	}
	if len(first) != 60 {
		t.Errorf("it chose %d", len(first))
	}
	for _, kind := range slices.Concat(callFaults, killFaults, engineFaults, []faultKind{faultKillAtEvent, faultEngineAtEvent, faultStreams}) {
		if !slices.ContainsFunc(first, func(c combination) bool { return c.Kind == kind }) {
			t.Errorf("there is no %q among them", kind)
		}
	}
	if n := len(choose(all, matrixOptions{})); n != len(all) {
		t.Errorf("all are %d, and %d", len(all), n)
	}
}

// Each combination has its name to itself: it is what is asked for to try it
// again.
func TestNames(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range (recording{up: []site{{Method: "GET", Path: "/a", N: 1}, {Method: "GET", Path: "/a", N: 2}}, events: 3}).combinations() {
		if seen[c.String()] {
			t.Errorf("two are called %q", c)
		}
		seen[c.String()] = true
	}
}
