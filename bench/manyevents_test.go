package main

import "testing"

func TestManyEvents(t *testing.T) {
	h := &harness{report: &report{}}
	if err := manyEvents(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	if len(h.report.Limits) != 2 {
		t.Errorf("the report has %+v, want memory and goroutines", h.report.Limits)
	}
}
