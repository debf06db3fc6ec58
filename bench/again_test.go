package main

import (
	"testing"

	"github.com/docker/docker/api/types/container"
)

func TestTouched(t *testing.T) {
	before := map[string]string{"a": "1", "b": "2"}
	for name, test := range map[string]struct {
		after map[string]string
		want  int
	}{
		"nothing":     {map[string]string{"a": "1", "b": "2"}, 0},
		"restarted":   {map[string]string{"a": "1", "b": "3"}, 1},
		"recreated":   {map[string]string{"a": "1", "c": "3"}, 2},
		"one is gone": {map[string]string{"a": "1"}, 1},
		"one is new":  {map[string]string{"a": "1", "b": "2", "c": "3"}, 1},
	} {
		if got := touched(before, test.after); got != test.want {
			t.Errorf("%s: %d touched, want %d", name, got, test.want)
		}
	}
}

func TestSaysHealthy(t *testing.T) {
	for status, want := range map[string]bool{
		"Up 3 seconds (healthy)": true, "Up 3 seconds (unhealthy)": false, "Up 3 seconds (health: starting)": false, "Up 3 seconds": false,
	} {
		if got := saysHealthy(container.Summary{Status: status}); got != want {
			t.Errorf("%s: %v, want %v", status, got, want)
		}
	}
}
