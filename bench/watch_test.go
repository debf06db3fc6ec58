package main

import "testing"

func TestExitedIn(t *testing.T) {
	for line, want := range map[string]string{
		`{"seq":7,"type":"resource_exited","resource":"s01","exit_code":137}`: "s01",
		`{"seq":7,"type":"resource_healthy","resource":"s01"}`:                "",
		"resource_exited": "", "": "",
	} {
		got, ok := exitedIn(line)
		if got != want || ok != (want != "") {
			t.Errorf("exitedIn(%q) = %q, %v; want %q", line, got, ok, want)
		}
	}
}
