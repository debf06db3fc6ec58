//go:build unix

package process

import (
	"fmt"
	"os"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// again is what there is to know of starting a process again. The policy is that
// of its spec. The supervisor applies it as an engine's daemon does: also when
// nobody else is there.
type again struct {
	// unwanted says that the process was stopped by request.
	unwanted bool
	// row counts the restarts without a stable run between them.
	row int
	// timer runs until the next start.
	timer *time.Timer
}

const (
	firstRest = 100 * time.Millisecond
	mostRest  = time.Minute
	// stableRun is how long a process has to run for its past not to count.
	stableRun = 10 * time.Second
)

// rest is how long to wait before another restart.
func rest(row int) time.Duration {
	pause := firstRest
	for range row {
		pause = min(2*pause, mostRest)
	}
	return pause
}

// wantsAgain says whether a process that has ended is to be started again. The
// caller holds mu.
func (s *supervisor) wantsAgain(p *child) bool {
	if p.again.unwanted || s.stopping || p.status.Leader.PID == 0 {
		return false
	}
	if p.status.FinishedAt.Sub(p.status.StartedAt) >= stableRun {
		p.again.row = 0
	}
	policy := p.spec.Restart
	switch policy.Mode {
	case sdk.RestartAlways:
		return true
	case sdk.RestartOnFailure:
		failed := p.status.ExitCode != nil && *p.status.ExitCode != 0
		return failed && (policy.MaxRetries == 0 || p.again.row < policy.MaxRetries)
	case sdk.RestartNo:
	}
	return false
}

// rest notes the end of a run, and has the next one begin after a pause. The
// caller holds mu.
func (s *supervisor) rest(p *child) {
	p.status.State = sdk.StatusRestarting
	if err := s.save(p); err != nil {
		fmt.Fprintln(os.Stderr, p.id, err)
	}
	s.emit(p, sdk.EventExited, p.status.FinishedAt)
	p.again.timer = time.AfterFunc(rest(p.again.row), func() { s.startAgain(p) })
}

func (s *supervisor) startAgain(p *child) {
	s.mu.Lock()
	if p.over {
		s.mu.Unlock()
		return
	}
	if p.again.unwanted || s.stopping {
		s.end(p, "")
		s.mu.Unlock()
		return
	}
	p.again.timer = nil
	p.again.row++
	p.status.Restarts++
	p.pid, p.reaped, p.lingering, p.killing, p.graceOver = 0, false, false, false, nil
	s.mu.Unlock()
	if err := s.fork(p, p.asked); err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		if p.pid == 0 { // else reap sees to it
			s.end(p, fmt.Sprintf("it could not be started again: %v", err))
		}
	}
}

// setRestart changes the policy of a process.
func (s *supervisor) setRestart(p *child, policy sdk.RestartPolicy) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.spec.Restart = policy
	spec := p.spec
	if policy.Mode != sdk.RestartAlways && p.again.timer != nil && p.again.timer.Stop() {
		s.end(p, "")
	}
	now := p.status
	return s.journal.write(note{ID: p.id, Spec: &spec, Status: &now})
}
