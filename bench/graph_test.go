package main

import "testing"

func TestNeedsAreOfTheLevelBefore(t *testing.T) {
	for i := range 10 * width {
		got := needs(i)
		if i < width {
			if got != nil {
				t.Errorf("%d needs %v, want none", i, got)
			}
			continue
		}
		if len(got) != 2 || got[0] == got[1] || got[0]/width != i/width-1 || got[1]/width != i/width-1 {
			t.Errorf("%d needs %v, want two of level %d", i, got, i/width-1)
		}
	}
}

// The scheduler and the walk come to the end of the graph that is timed.
func TestSchedulesAndWalks(t *testing.T) {
	took, err := timeSchedule(t.Context(), 200)
	if err != nil || took <= 0 {
		t.Errorf("schedule took %v, %v", took, err)
	}
	if took := timeWalk(200); took <= 0 {
		t.Errorf("walk took %v", took)
	}
	peak, kept, err := memoryOfSchedule(t.Context(), 2000)
	if err != nil || peak <= 0 || kept <= 0 || peak < kept/2 {
		t.Errorf("peak %v, kept %v, %v", peak, kept, err)
	}
}
