package main

import "testing"

func TestMedian(t *testing.T) {
	for _, test := range []struct {
		of   series
		want float64
	}{
		{nil, 0},
		{series{7}, 7},
		{series{4, 1}, 2.5},
		{series{3, 1, 2}, 2},
		{series{9, 1, 3, 2}, 2.5},
	} {
		if got := test.of.median(); got != test.want {
			t.Errorf("median of %v = %v, want %v", test.of, got, test.want)
		}
	}
}

func TestMedianLeavesTheOrderOfTheRuns(t *testing.T) {
	s := series{3, 1, 2}
	s.median()
	if s[0] != 3 || s[1] != 1 || s[2] != 2 {
		t.Errorf("the series became %v", s)
	}
}

func TestMinAndMax(t *testing.T) {
	if s := (series{3, 1, 2}); s.min() != 1 || s.max() != 3 {
		t.Errorf("min %v, max %v", s.min(), s.max())
	}
}

// The two ratios differ, and each is the one that its name says.
func TestRatios(t *testing.T) {
	ours, theirs := series{2, 9, 4}, series{1, 3, 1}
	if got := ours.pairwise(theirs); got != 3 { // of 2, 3 and 4
		t.Errorf("pairwise = %v, want 3", got)
	}
	if got := ours.ofMedians(theirs); got != 4 { // 4 ÷ 1
		t.Errorf("ofMedians = %v, want 4", got)
	}
	if got := ours.ofMedians(nil); got != 0 {
		t.Errorf("ofMedians to nothing = %v, want 0", got)
	}
}
