package main

import (
	"os"
	"testing"
	"time"
)

func TestEffortIn(t *testing.T) {
	got, err := effortIn("1500000 20 3\n", "Name:\tx\nvoluntary_ctxt_switches:\t42\nnonvoluntary_ctxt_switches:\t7\n")
	if want := (effort{1500 * time.Microsecond, 42}); err != nil || got != want {
		t.Errorf("effortIn() = %+v, %v; want %+v", got, err, want)
	}
	for _, broken := range [][2]string{{"", "\nvoluntary_ctxt_switches:\t1\n"}, {"1 2 3", "Name:\tx\n"}, {"1 2 3", "\nvoluntary_ctxt_switches:\tx\n"}} {
		if _, err := effortIn(broken[0], broken[1]); err == nil {
			t.Errorf("%q: no error", broken)
		}
	}
}

func TestEffortOfThisProcess(t *testing.T) {
	if got, err := effortOf(os.Getpid()); err != nil || got.cpu <= 0 {
		t.Errorf("effortOf() = %+v, %v", got, err)
	}
	if _, err := effortOf(1 << 30); err == nil {
		t.Error("a process that isn't there has no effort")
	}
}
