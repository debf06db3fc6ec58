package hostile

import (
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	// mostMemory is how much the program may grow while it is attacked: the guest's
	// memory, moved once, and a guest's stack of 50 MB, doubled once.
	mostMemory = 300 << 20 * raceFactor
	// hang is how much later than its deadline an attack may end before it counts
	// as not stopped at all. How late it really is is a figure of bench/.
	hang = time.Minute
	// leastGroups is how many groups there have to be.
	leastGroups = 35
)

func TestTheHostSurvives(t *testing.T) {
	attacks := Attacks()
	if groups := Groups(attacks); len(groups) < leastGroups {
		t.Errorf("%d groups, want %d", len(groups), leastGroups)
	}
	for _, a := range attacks {
		t.Run(a.Group+"/"+a.Name, func(t *testing.T) {
			outcome := a.Try(t.Context())
			if outcome.Wrong != nil {
				t.Error(outcome.Wrong)
			}
			if outcome.Grown > mostMemory {
				t.Errorf("the program grew by %d MiB", outcome.Grown>>20)
			}
			if outcome.Overrun > hang {
				t.Errorf("it ended %s after its deadline", outcome.Overrun)
			}
			t.Logf("ended %s after its deadline; others held up for %s; grew by %d MiB", outcome.Overrun, outcome.Stall, outcome.Grown>>20)
		})
	}
}
