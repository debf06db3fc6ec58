package resume

import (
	"strconv"
	"testing"
	"time"
)

func TestEachEventIsHeardOnce(t *testing.T) {
	began := time.Now()
	s := Since(began)
	for i := range 10 * rememberedLeast {
		at, what := began.Add(time.Duration(i/2)*slack/100), strconv.Itoa(i%2)
		if s.Heard(what, at) || !s.Heard(what, at) {
			t.Fatalf("event %d isn't heard once", i)
		}
	}
	if len(s.known) > 2*rememberedLeast {
		t.Errorf("%d events are remembered", len(s.known))
	}
	if back := s.last.Sub(s.From()); back != slack {
		t.Errorf("it would ask from %s before the last event", back)
	}
}

func TestABurstIsRememberedWhole(t *testing.T) {
	began := time.Now()
	s := Since(began)
	for again := range 2 {
		for i := range 5 * rememberedLeast {
			if s.Heard(strconv.Itoa(i), began.Add(time.Duration(i%7)*time.Millisecond)) != (again == 1) {
				t.Fatalf("event %d, time %d", i, again)
			}
		}
	}
}

func TestFromIsNeverBeforeTheBegin(t *testing.T) {
	began := time.Now()
	s := Since(began)
	if got := s.From(); !got.Equal(began) {
		t.Errorf("before any event: %s after the begin", got.Sub(began))
	}
	s.Heard("start", began.Add(slack/2))
	if got := s.From(); !got.Equal(began) {
		t.Errorf("soon after the begin: %s after it", got.Sub(began))
	}
}

// Whoever never hears anything isn't followed for ever.
func TestEndedGivesUp(t *testing.T) {
	s := Since(time.Now())
	asked := func(lasted time.Duration) (n int) {
		for {
			after, again := s.Ended(lasted)
			if !again {
				return n
			}
			if (after == 0) != (n == 0) {
				t.Errorf("a pause of %s before try %d", after, n+1)
			}
			n++
		}
	}
	if n := asked(0); n != tries {
		t.Errorf("%d tries, wanted %d", n, tries)
	}
	s.Heard("start", time.Now())
	if n := asked(0); n != tries {
		t.Errorf("after an event: %d tries, wanted %d", n, tries)
	}
	for range 2 * tries {
		if _, again := s.Ended(2 * steady); !again {
			t.Error("one that lasts is given up")
		}
	}
}
