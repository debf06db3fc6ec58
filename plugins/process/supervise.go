//go:build unix

package process

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const lockFile = "supervisor.lock"

// errTaken says that the project has a supervisor.
var errTaken = errors.New("there is a supervisor already")

// Supervise looks after the processes of the project whose folder this is, until
// the last one has ended and nobody is connected. It says on file descriptor 3
// that it is ready, and takes over the whole program: it reaps every child.
func Supervise(dir string) error {
	s, err := newSupervisor(dir)
	if errors.Is(err, errTaken) {
		return say(readyLine)
	}
	if err != nil {
		return errors.Join(err, say(err.Error()))
	}
	defer s.leave()
	// Signals are heard before the first process can be there.
	signals := make(chan os.Signal, 16)
	// SIGHUP is heard so as not to die of it; ignored, it would be so for every
	// process, too.
	signal.Notify(signals, unix.SIGCHLD, unix.SIGTERM, unix.SIGINT, unix.SIGHUP)
	if err := say(readyLine); err != nil {
		return err
	}
	go s.sweepLoop()
	go s.accept()
	for {
		select {
		case <-s.idle:
			return nil
		case got := <-signals:
			switch got {
			case unix.SIGCHLD:
				s.reap()
			case unix.SIGHUP:
			default:
				go s.stopAll()
			}
		}
	}
}

// say tells who started the supervisor how it went, once.
func say(text string) error {
	pipe := os.NewFile(sayDescriptor, "ready")
	_, err := fmt.Fprintln(pipe, text)
	return errors.Join(err, pipe.Close())
}

const sayDescriptor = 3

// supervisor owns the processes of one project.
type supervisor struct {
	dir      string
	lock     *os.File
	listener net.Listener
	journal  *journal
	// null is the input of all processes.
	null *os.File
	// forks are done on a thread that never ends: the death of the thread that
	// forked would be taken for that of the supervisor.
	forks chan func()
	// sweeps wakes the sweeper.
	sweeps chan struct{}
	// idle is closed when there is nothing left to do.
	idle chan struct{}

	// forking is held over every fork and reap, so that what is reaped is known.
	// It is taken before mu.
	forking sync.Mutex
	// mu is held over every reap and kill, so that a pid which is known is never
	// that of another process.
	mu        sync.Mutex
	processes map[string]*child
	// leaders are the processes that are not yet reaped, by pid.
	leaders map[int]*child
	// sweeping are those whose remains are being killed.
	sweeping map[*child]struct{}
	watchers map[*watcher]struct{}
	// gateways are where containers find this machine.
	gateways  []netip.Prefix
	clients   int
	leaving   bool
	stopping  bool
	connected bool
}

// firstClient is how long a new supervisor waits for who started it.
const firstClient = 10 * time.Second

func newSupervisor(dir string) (*supervisor, error) {
	lock, err := takeLock(dir)
	if err != nil {
		return nil, err
	}
	s := &supervisor{
		dir: dir, lock: lock, forks: make(chan func()), sweeps: make(chan struct{}, 1), idle: make(chan struct{}),
		processes: map[string]*child{}, leaders: map[int]*child{}, sweeping: map[*child]struct{}{}, watchers: map[*watcher]struct{}{},
	}
	if s.null, err = os.Open(os.DevNull); err != nil {
		return nil, err
	}
	if err := adoptOrphans(); err != nil {
		return nil, err
	}
	if s.journal, err = openJournal(dir); err != nil {
		return nil, err
	}
	if err := s.recover(); err != nil {
		return nil, err
	}
	_ = os.Remove(filepath.Join(dir, socketFile)) // of one that was killed
	if s.listener, err = listenIn(dir); err != nil {
		return nil, err
	}
	if err := os.Chmod(filepath.Join(dir, socketFile), 0o600); err != nil {
		return nil, err
	}
	go func() {
		runtime.LockOSThread()
		for fork := range s.forks {
			fork()
		}
	}()
	time.AfterFunc(firstClient, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.connected = true
		s.leaveIfIdle()
	})
	return s, nil
}

// takeLock locks a file for as long as this process lives. Who has it may be on
// its way in or out; it is errTaken when that supervisor answers.
func takeLock(dir string) (*os.File, error) {
	deadline := time.Now().Add(firstClient)
	for {
		file, err := tryLock(filepath.Join(dir, lockFile))
		if !errors.Is(err, errTaken) || time.Now().After(deadline) || greets(dir) {
			return file, err
		}
		<-time.After(time.Millisecond)
	}
}

// greets says whether a supervisor answers.
func greets(dir string) bool {
	conn, err := dialIn(dir)
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }()
	var hello greeting
	return json.NewDecoder(conn).Decode(&hello) == nil
}

// tryLock locks the file. It goes with its holder, so the one that was locked may
// be no longer the one that is there.
func tryLock(path string) (*os.File, error) {
	for {
		file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return nil, err
		}
		if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
			_ = file.Close()
			if errors.Is(err, unix.EWOULDBLOCK) {
				return nil, errTaken
			}
			return nil, err
		}
		locked, err := file.Stat()
		if err != nil {
			return nil, err
		}
		there, err := os.Stat(path)
		if err == nil && os.SameFile(locked, there) {
			return file, nil
		}
		_ = file.Close()
	}
}

// closed is for what has happened long ago.
var closed = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// recover ends what an earlier supervisor that was killed has left.
func (s *supervisor) recover() error {
	left := map[string]*child{}
	for id, known := range s.journal.all() {
		p := &child{id: id, dir: filepath.Join(s.dir, id), spec: known.Spec, status: known.Status, over: true, started: closed, ended: closed}
		if !known.Status.ended() {
			left[id] = p
			continue
		}
		s.processes[id] = p
	}
	if len(left) == 0 {
		return nil
	}
	if err := killLeft(left); err != nil {
		return err
	}
	for id, p := range left {
		p.status = lost(p.status)
		p.status.FinishedAt = time.Now()
		if err := s.save(p); err != nil {
			return err
		}
		s.processes[id] = p
	}
	return nil
}

// leaveIfIdle ends the supervisor when nothing is left to do. The caller holds
// mu.
func (s *supervisor) leaveIfIdle() {
	if s.leaving || s.clients > 0 || !s.connected {
		return
	}
	for _, p := range s.processes {
		if !p.over {
			return
		}
	}
	s.leaving = true
	close(s.idle)
}

// leave removes what only a living supervisor has. New clients find no socket
// or are hung up on, and start another one.
func (s *supervisor) leave() {
	killStrays()
	s.journal.leave()
	_ = os.Remove(filepath.Join(s.dir, socketFile))
	_ = s.listener.Close()
	_ = os.Remove(filepath.Join(s.dir, supervisorLog))
	_ = os.Remove(filepath.Join(s.dir, lockFile))
	_ = os.Remove(s.dir) // stays if there is anything in it
}

// stopAll is for a supervisor that is told to end: it ends when they have.
func (s *supervisor) stopAll() {
	s.mu.Lock()
	s.stopping, s.connected = true, true
	var all []*child
	for _, p := range s.processes {
		all = append(all, p)
	}
	s.mu.Unlock()
	for _, p := range all {
		<-p.started
		grace := p.spec.Stop.Grace.Std()
		if grace <= 0 {
			grace = defaultGrace
		}
		s.stop(p, grace)
	}
	for _, p := range all {
		<-p.ended
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for w := range s.watchers {
		s.drop(w)
	}
	s.leaveIfIdle()
}

// defaultGrace is for a supervisor that is told to end, which has nobody to ask.
const defaultGrace = 10 * time.Second
