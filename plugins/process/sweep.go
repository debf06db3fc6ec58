//go:build unix

package process

import (
	"time"
)

const (
	// sweepPause is the time between two looks at what is being killed.
	sweepPause = 10 * time.Millisecond
	// sweepShare is how many times as long as a look took no other follows: one
	// serves all that end at about the same time.
	sweepShare = 4
	// sweepLimit is how long it is tried.
	sweepLimit = 5 * time.Second
)

// sweepLoop kills what processes that ended have left behind.
func (s *supervisor) sweepLoop() {
	for range s.sweeps {
		began := time.Now()
		left := s.sweepOnce()
		pause := sweepShare * time.Since(began)
		if left {
			pause = max(pause, sweepPause)
		}
		<-time.After(pause)
	}
}

// sweepOnce says whether anything is left to sweep.
func (s *supervisor) sweepOnce() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.sweeping) == 0 {
		return false
	}
	left := s.remains()
	for p := range s.sweeping {
		for _, one := range left[p] {
			_ = one.kill() // the next look sees whether it worked
		}
		late := time.Since(p.killedAt) > sweepLimit
		if len(left[p]) > 0 && !late {
			continue
		}
		remark := ""
		if late {
			remark = "some of what it left behind could not be killed"
		}
		delete(s.sweeping, p)
		go s.finish(p, remark)
	}
	if len(s.sweeping) == 0 {
		return false
	}
	s.wakeSweeper()
	return true
}
