//go:build unix

package process

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// child is a process of the supervisor with all that belongs to it. What isn't
// said to be otherwise is guarded by the supervisor's mu.
type child struct {
	id, dir string
	spec    sdk.Spec
	status  status
	pid     int

	log logWriter
	// drained waits for the ends of the output of this run.
	drained *sync.WaitGroup
	logErr  error

	gates gates

	// asked is how it was started, to do so again; see again.go.
	asked request
	again again

	// reaped says that the leader has ended; others of its group may go on
	// until the grace period is over.
	reaped    bool
	lingering bool
	// killing says that it is over with all grace.
	killing   bool
	graceOver *time.Timer
	killedAt  time.Time
	// over says that all that could be done is done; ended is closed then.
	over  bool
	ended chan struct{}
	// started is closed when the start has come to its end, good or bad.
	started chan struct{}
	// followers are told of output.
	followers map[chan struct{}]struct{}
}

// begin puts a process that is to be started on record, so that it is known when
// all is killed at the next moment.
func (s *supervisor) begin(r request) (*child, error) {
	p := &child{
		id: r.ID, dir: filepath.Join(s.dir, r.ID), spec: *r.Spec, started: make(chan struct{}), ended: make(chan struct{}), followers: map[chan struct{}]struct{}{},
		status: status{State: sdk.StatusCreated, CreatedAt: time.Now()}, asked: r,
	}
	if err := s.register(p); err != nil {
		return nil, err
	}
	if err := s.journal.write(note{ID: p.id, Spec: &p.spec, Status: &p.status}); err != nil {
		s.forget(p)
		close(p.started)
		return nil, err
	}
	return p, nil
}

// start starts a process that was begun. What failed has left nothing.
func (s *supervisor) start(p *child, r request) error {
	defer close(p.started)
	err := s.fork(p, r)
	if err != nil {
		s.forget(p)
	}
	return err
}

// save writes down what is known of a process.
func (s *supervisor) save(p *child) error {
	now := p.status
	return s.journal.write(note{ID: p.id, Status: &now})
}

// register takes the name of a process.
func (s *supervisor) register(p *child) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return sdk.Errorf(sdk.CodeUnavailable, "", "the supervisor of the processes was told to end")
	}
	for _, other := range s.processes {
		if other.id == p.id || other.spec.Name == p.spec.Name {
			return &sdk.Error{Code: sdk.CodeConflict, Err: fmt.Errorf("there is a process %s already", other.spec.Name), Hint: "take it down first"}
		}
		// It may not listen yet.
		if port, both := collision(p.spec.Ports, other.spec.Ports); both && !other.over {
			return portInUse(port, other.spec.Name)
		}
	}
	s.processes[p.id] = p
	return nil
}

// forget drops a process that didn't start.
func (s *supervisor) forget(p *child) {
	if err := s.journal.write(note{ID: p.id, Gone: true}); err != nil {
		fmt.Fprintln(os.Stderr, p.id, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.processes, p.id)
	p.over = true
	close(p.ended)
}

// fork starts the process and begins to read its output.
func (s *supervisor) fork(p *child, r request) error {
	stdout, stdoutEnd, err := outputPipe()
	if err != nil {
		return cannotRun(r, err)
	}
	defer unix.Close(stdoutEnd) //nolint:errcheck // it is the process's
	stderr, stderrEnd, err := outputPipe()
	if err != nil {
		_ = stdout.Close()
		return cannotRun(r, err)
	}
	defer unix.Close(stderrEnd) //nolint:errcheck // it is the process's
	if p.log.dir == "" {
		p.log = logWriter{dir: p.dir, limit: r.Logs, grown: func() { s.grown(p) }}
	}
	drained := &sync.WaitGroup{}
	drained.Add(2) // its end must not be noted before its beginning
	attributes := &syscall.ProcAttr{
		Dir: r.Spec.WorkingDir, Env: r.Environ, Files: []uintptr{s.null.Fd(), uintptr(stdoutEnd), uintptr(stderrEnd)},
		Sys: &syscall.SysProcAttr{Setpgid: true},
	}
	diesWithParent(attributes.Sys)
	done := make(chan error)
	s.forks <- func() { done <- s.forkHere(p, r, attributes, drained) }
	if err := <-done; err != nil {
		_, _ = stdout.Close(), stderr.Close()
		drained.Add(-2)
		return cannotRun(r, err)
	}
	for from, stream := range map[*os.File]sdk.Stream{stdout: sdk.Stdout, stderr: sdk.Stderr} {
		go func() {
			defer drained.Done()
			s.capture(p, from, stream)
		}()
	}
	return nil
}

// outputPipe makes a pipe. Its end for the process is a bare descriptor, because
// what the package os does to a file is for this program's own reads and writes.
func outputPipe() (*os.File, int, error) {
	var ends [2]int
	syscall.ForkLock.RLock() // not every system can make a pipe that no child inherits
	defer syscall.ForkLock.RUnlock()
	if err := unix.Pipe(ends[:]); err != nil {
		return nil, 0, err
	}
	for _, end := range ends {
		unix.CloseOnExec(end)
	}
	if err := unix.SetNonblock(ends[0], true); err != nil {
		_, _ = unix.Close(ends[0]), unix.Close(ends[1])
		return nil, 0, err
	}
	return os.NewFile(uintptr(ends[0]), "output"), ends[1], nil
}

func (s *supervisor) capture(p *child, from *os.File, stream sdk.Stream) {
	err := capture(from, stream, &p.log)
	if err == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p.logErr = err
}

// forkHere forks, notes whom, and tells.
func (s *supervisor) forkHere(p *child, r request, attributes *syscall.ProcAttr, drained *sync.WaitGroup) error {
	// Others may go on while it forks, but not reap.
	s.forking.Lock()
	defer s.forking.Unlock()
	pid, err := syscall.ForkExec(r.Program, r.Args, attributes)
	if err != nil {
		return err
	}
	leader, err := identify(pid)
	s.mu.Lock()
	defer s.mu.Unlock()
	p.pid, p.drained = pid, drained
	s.leaders[p.pid] = p
	p.status.State, p.status.StartedAt, p.status.Leader = sdk.StatusRunning, time.Now(), leader
	if err == nil {
		err = s.save(p)
	}
	if err != nil {
		// What isn't on record must not run; reap sees to the rest.
		p.killing = true
		return errors.Join(err, signalGroup(p.pid, unix.SIGKILL))
	}
	s.lookForGatesIn(p, firstGateLook)
	s.emit(p, sdk.EventStarted, p.status.StartedAt)
	if p.again.unwanted {
		s.kill(p) // it was stopped while it was started again
	}
	return nil
}

// cannotRun says why a program could not be executed.
func cannotRun(r request, err error) error {
	failure := &sdk.Error{Code: sdk.CodeInvalid, Err: fmt.Errorf("%s can't be run: %w", r.Program, rootCause(err))}
	switch {
	case errors.Is(err, unix.ENOEXEC):
		failure.Hint = "it is no program of this system; a script needs a first line such as #!/bin/sh"
	case errors.Is(err, unix.ENOENT):
		failure.Code = sdk.CodeNotFound
		failure.Hint = "the interpreter that its first line names may be missing"
	case errors.Is(err, unix.EACCES):
		failure.Code = sdk.CodeDenied
	case errors.Is(err, unix.E2BIG):
		failure.Hint = "its arguments and environment are too long"
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.ENOMEM):
		failure.Code = sdk.CodeUnavailable
		failure.Hint = "the limit of processes or memory is reached"
	}
	return failure
}

func rootCause(err error) error {
	if errno, ok := errors.AsType[unix.Errno](err); ok {
		return errno
	}
	return err
}

// reap takes note of every child that has ended.
func (s *supervisor) reap() {
	s.forking.Lock()
	defer s.forking.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	reaped := false
	for {
		pid, how := reapNext(s.beforeReap)
		if pid == 0 {
			break
		}
		p := s.leaders[pid]
		if how.Stopped() || how.Continued() {
			s.paused(p, how.Stopped())
			continue
		}
		reaped = true
		if p != nil {
			s.leaderEnded(p, how)
		}
	}
	if !reaped {
		return
	}
	for _, p := range s.processes {
		if p.reaped && p.lingering && !p.killing && !groupLives(p.pid) {
			s.sweep(p)
		}
	}
	if len(s.sweeping) > 0 {
		s.wakeSweeper()
	}
}

// beforeReap kills the group of a leader that has ended, while its number still
// means that group; unless the group has its grace.
func (s *supervisor) beforeReap(pid int) {
	p := s.leaders[pid]
	if p != nil && (!p.lingering || p.killing) {
		_ = signalGroup(pid, unix.SIGKILL) // the sweep sees what is left
	}
}

// paused notes that a leader was stopped, or goes on.
func (s *supervisor) paused(p *child, stopped bool) {
	if p == nil {
		return
	}
	what := sdk.EventUnpaused
	p.status.State = sdk.StatusRunning
	if stopped {
		what, p.status.State = sdk.EventPaused, sdk.StatusPaused
	}
	if err := s.save(p); err != nil {
		fmt.Fprintln(os.Stderr, p.id, err)
	}
	s.emit(p, what, time.Now())
}

// leaderEnded handles the end of the process itself.
func (s *supervisor) leaderEnded(p *child, how syscall.WaitStatus) {
	delete(s.leaders, p.pid)
	p.gates.close()
	code := exitCode(how)
	p.reaped = true
	p.status.ExitCode, p.status.FinishedAt = &code, time.Now()
	if p.lingering && !p.killing && groupLives(p.pid) {
		return // the rest of the group has its grace
	}
	s.sweep(p)
}

// stop ends a process that was started; grace 0 kills it at once.
func (s *supervisor) stop(p *child, grace time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.again.unwanted = true
	if p.again.timer != nil && p.again.timer.Stop() {
		s.end(p, "")
	}
	if p.over || p.killing || p.pid == 0 {
		return
	}
	if grace <= 0 {
		s.kill(p)
		return
	}
	if !p.lingering && !p.reaped {
		signal, _ := signalOf(p.spec.Stop.Signal) // checked when it was asked for
		p.lingering = true
		_ = signalGroup(p.pid, signal)
		_ = signalGroup(p.pid, unix.SIGCONT) // what is stopped can't obey
	}
	if p.graceOver != nil {
		p.graceOver.Stop()
	}
	p.graceOver = time.AfterFunc(grace, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.kill(p)
	})
}

// kill ends all of a process. The caller holds mu.
func (s *supervisor) kill(p *child) {
	if p.over || p.killing {
		return
	}
	p.killing = true
	if p.reaped {
		s.sweep(p)
		return
	}
	_ = signalGroup(p.pid, unix.SIGKILL)
}

// sweep has all killed that the process left behind. The caller holds mu.
func (s *supervisor) sweep(p *child) {
	p.killing = true
	if p.graceOver != nil {
		p.graceOver.Stop()
	}
	if _, under := s.sweeping[p]; under || p.over {
		return
	}
	p.killedAt = time.Now()
	s.sweeping[p] = struct{}{}
	s.wakeSweeper()
}

func (s *supervisor) wakeSweeper() {
	select {
	case s.sweeps <- struct{}{}:
	default:
	}
}

// drainWait is how long the output of a process that has ended is waited for:
// what could not be killed may hold it.
const drainWait = time.Second

// finish notes the end when nothing is left of the process. Its status is
// written last, so that who sees it finds all output.
func (s *supervisor) finish(p *child, remark string) {
	drained := make(chan struct{})
	go func() {
		p.drained.Wait()
		close(drained)
	}()
	timer := time.NewTimer(drainWait)
	defer timer.Stop()
	select {
	case <-drained:
	case <-timer.C:
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wantsAgain(p) {
		s.rest(p)
		return
	}
	s.end(p, remark)
}

// end notes the last end. The caller holds mu.
func (s *supervisor) end(p *child, remark string) {
	told := p.status.State == sdk.StatusRestarting
	p.again.timer = nil
	p.log.finish()
	p.status.State, p.status.Error = sdk.StatusExited, remark
	if p.logErr != nil {
		p.status.Error = fmt.Sprintf("some of its output is lost: %v", p.logErr)
	}
	if err := s.save(p); err != nil {
		fmt.Fprintln(os.Stderr, p.id, err)
	}
	p.over = true
	close(p.ended)
	if !told {
		s.emit(p, sdk.EventExited, p.status.FinishedAt)
	}
	s.leaveIfIdle()
}

// remove deletes a process, which is killed if it still runs.
func (s *supervisor) remove(p *child) error {
	<-p.started
	s.stop(p, 0)
	<-p.ended
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.processes[p.id] != p {
		return nil
	}
	if err := os.RemoveAll(p.dir); err != nil {
		return err
	}
	if err := s.journal.write(note{ID: p.id, Gone: true}); err != nil {
		fmt.Fprintln(os.Stderr, p.id, err) // a full disk, from which it is to go
	}
	delete(s.processes, p.id)
	s.emit(p, sdk.EventRemoved, time.Now())
	return nil
}
