package process

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// adoptOrphans makes this process the parent of what its children leave behind.
func adoptOrphans() error { return unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }

// diesWithParent has the kernel kill the process when the thread that forked it
// ends, which is when the supervisor does.
func diesWithParent(attributes *syscall.SysProcAttr) { attributes.Pdeathsig = syscall.SIGKILL }

// reapNext reaps a child that has ended, after it told before of it, or takes
// note of one that was stopped or goes on; the pid is 0 if there is none.
func reapNext(before func(pid int)) (int, syscall.WaitStatus) {
	var how syscall.WaitStatus
	pid, ended := changedChild()
	if pid == 0 {
		return 0, how
	}
	if ended {
		before(pid)
	}
	if _, err := syscall.Wait4(pid, &how, syscall.WUNTRACED|syscall.WCONTINUED, nil); err != nil {
		return 0, how
	}
	return pid, how
}

// The codes of children that go on, stopped or not.
const (
	childStopped   = 5
	childContinued = 6
)

// changedChild is the pid of a child that has ended, was stopped or goes on,
// which is left as it is; 0 if there is none.
func changedChild() (pid int, ended bool) {
	var info unix.Siginfo
	for {
		err := unix.Waitid(unix.P_ALL, 0, &info, unix.WEXITED|unix.WSTOPPED|unix.WCONTINUED|unix.WNOHANG|unix.WNOWAIT, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || info.Signo == 0 {
			return 0, false
		}
		break
	}
	// After three numbers and, where pointers are long, some room comes the pid.
	words := (*[32]int32)(unsafe.Pointer(&info)) //nolint:gosec // the kernel's own structure, of 128 bytes
	ended = info.Code != childStopped && info.Code != childContinued
	if unsafe.Sizeof(uintptr(0)) == 8 {
		return int(words[4]), ended
	}
	return int(words[3]), ended
}

// groupLives says whether anybody is in the process group.
func groupLives(group int) bool { return !errors.Is(unix.Kill(-group, 0), unix.ESRCH) }

// table is all processes of the system at a moment.
type table map[int]stat

func readTable() table {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	seen := table{}
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if line, err := readStat(pid); err == nil && !line.zombie {
			seen[pid] = line
		}
	}
	return seen
}

func (line stat) identity() identity {
	return identity{PID: line.pid, Start: line.start, Boot: bootID()}
}

// remains finds what those who are being swept have left behind: orphans of
// theirs, which this process has adopted, and all that descends from them. The
// caller holds mu.
func (s *supervisor) remains() map[*child][]identity {
	if !s.hasStrays() {
		return nil
	}
	seen := readTable()
	self := os.Getpid()
	owners := map[int]*child{}
	for pid, line := range seen {
		if line.parent != self || s.leaders[pid] != nil {
			continue
		}
		for p := range s.sweeping {
			if line.group == p.pid || line.session == p.pid {
				owners[pid] = p
			}
		}
		if owners[pid] == nil {
			owners[pid] = s.sweepingByID(markOf(pid))
		}
	}
	left := map[*child][]identity{}
	for pid, line := range seen {
		if p := seen.owner(pid, owners); p != nil {
			left[p] = append(left[p], line.identity())
		}
	}
	return left
}

// hasStrays says whether this process has children besides the leaders, which
// nearly always spares a look at all processes of the system. What descends from
// a stray needs no look: it is a child of this process when its parents have
// gone. The lists are exact, because nothing leaves them but what is reaped, and
// that is done with mu held.
func (s *supervisor) hasStrays() bool {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return true
	}
	for _, thread := range threads {
		data, err := os.ReadFile("/proc/self/task/" + thread.Name() + "/children")
		if errors.Is(err, fs.ErrNotExist) {
			if _, err := os.Stat("/proc/self/task/" + thread.Name()); err != nil {
				continue // a thread that has ended has left its children to another
			}
			return true // a kernel without these lists
		}
		if err != nil {
			return true
		}
		for field := range strings.FieldsSeq(string(data)) {
			pid, err := strconv.Atoi(field)
			if err != nil || s.leaders[pid] == nil {
				return true
			}
		}
	}
	return false
}

func (s *supervisor) sweepingByID(id string) *child {
	p := s.processes[id]
	if _, swept := s.sweeping[p]; !swept {
		return nil
	}
	return p
}

// owner is the one to whom a process, or the nearest of its ancestors, belongs.
func (t table) owner(pid int, owners map[int]*child) *child {
	for range len(t) {
		line, there := t[pid]
		if !there {
			return nil
		}
		if p := owners[pid]; p != nil {
			return p
		}
		pid = line.parent
	}
	return nil
}

// markOf is the id in the environment of a process, if it can be read.
func markOf(pid int) string {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	if err != nil {
		return ""
	}
	for variable := range strings.SplitSeq(string(data), "\x00") {
		if id, ok := strings.CutPrefix(variable, mark+"="); ok {
			return id
		}
	}
	return ""
}

// killLeft kills what runs of processes whose supervisor was killed. Their
// leaders were killed with it; the others are known by their mark or, where that
// can't be read, their group and session: those of a leader that is known by its
// start time, or that nobody else can have because no such leader is there.
func killLeft(left map[string]*child) error {
	deadline := time.Now().Add(sweepLimit)
	for time.Now().Before(deadline) {
		found := leftIn(readTable(), left)
		if len(found) == 0 {
			return nil
		}
		for _, one := range found {
			if err := one.kill(); err != nil {
				return err
			}
		}
		<-time.After(sweepPause)
	}
	return errors.New("some of the processes that an earlier supervisor left behind can't be killed")
}

func leftIn(seen table, left map[string]*child) []identity {
	groups := map[int]bool{}
	for _, p := range left {
		if p.status.Leader.Boot == bootID() && p.status.Leader.lives() {
			groups[p.status.Leader.PID] = true
		}
	}
	var found []identity
	for pid, line := range maps.All(seen) {
		_, marked := left[markOf(pid)]
		if marked || groups[line.group] || groups[line.session] {
			found = append(found, line.identity())
		}
	}
	return found
}

// killStrays kills what is left of processes that can't be told any more: a
// supervisor that leaves has no children.
func killStrays() {
	deadline := time.Now().Add(sweepLimit)
	for time.Now().Before(deadline) {
		strays := 0
		for pid, line := range readTable() {
			if line.parent == os.Getpid() {
				strays++
				_ = unix.Kill(pid, unix.SIGKILL) // a child's number is its own until it is reaped
			}
		}
		if strays == 0 {
			return
		}
		for pid := -1; pid != 0; {
			pid, _ = reapNext(func(int) {})
		}
		<-time.After(sweepPause)
	}
}
