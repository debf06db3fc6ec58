package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestVerdicts(t *testing.T) {
	for _, test := range []struct {
		medians, pairwise, most float64
		want                    string
	}{
		{0.7, 0.7, 0.8, reached},
		{0.8, 0.8, 0.8, reached},
		{0.9, 0.9, 0.8, missed},
		{0.7, 0.9, 0.8, narrowly},
		{0.9, 0.7, 0.8, narrowly},
		{0.9, 0.9, none, win},
		{1.1, 0.9, none, loss},
	} {
		if got := judge(test.medians, test.pairwise, test.most); got != test.want {
			t.Errorf("judge(%v, %v, %v) = %s, want %s", test.medians, test.pairwise, test.most, got, test.want)
		}
	}
}

func filledReport() *report {
	r := &report{Machine: "a machine"}
	r.add("levels up", "ms", figures{us: {30, 10, 20}, rival: {40, 40, 40}})
	r.compare("levels up ÷ compose", series{30, 10, 20}, series{40, 40, 40}, 0.45)
	r.compare("down ÷ floor", series{3}, series{2}, none)
	r.limit("binary", 20, 40, "MB")
	r.limit("memory", 9, 8, "KiB")
	r.Failures = append(r.Failures, "gate: it broke")
	return r
}

func TestMarkdownSaysPlainlyWhatWasMissed(t *testing.T) {
	var text strings.Builder
	filledReport().markdown(&text)
	for _, want := range []string{
		"| levels up | lightshuttle | 20 ms | 10 | 30 | 3 |",
		"| levels up ÷ compose | 0.5 | 0.5 | 0.45 | **missed** |",
		"| down ÷ floor | 1.5 | 1.5 | – | loss |",
		"| binary | 20 MB | 40 MB | reached |",
		"**Failed:** gate: it broke",
		"**missed**: levels up ÷ compose is 0.5 (pairs: 0.5), and should be 0.45 at most.",
		"**missed**: memory is 9 KiB, and should be 8 at most.",
	} {
		if !strings.Contains(text.String(), want+"\n") {
			t.Errorf("no line %q in\n%s", want, text.String())
		}
	}
}

func TestSummaryWithoutAMiss(t *testing.T) {
	r := &report{}
	r.compare("one", series{1}, series{2}, 0.8)
	if got := r.summary(); got != "All targets that were measured are reached." {
		t.Errorf("summary = %q", got)
	}
}

func TestSummaryOfAnInterruptedRun(t *testing.T) {
	r := &report{Failures: []string{"flat: interrupted"}}
	r.compare("one", series{1}, series{2}, 0.8)
	if got := r.summary(); got != "**Failed:** flat: interrupted" {
		t.Errorf("summary = %q", got)
	}
}

func TestSavedReportHasEveryRun(t *testing.T) {
	path := filepath.Join(t.TempDir(), "report.json")
	if err := filledReport().save(path); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var read report
	if err := json.Unmarshal(data, &read); err != nil {
		t.Fatal(err)
	}
	if len(read.Figures) != 2 || len(read.Figures[0].Runs) != 3 || read.Ratios[0].Verdict != missed {
		t.Errorf("read back: %+v", read)
	}
	if err := filledReport().save(""); err != nil {
		t.Errorf("without a path: %v", err)
	}
}
