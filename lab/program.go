package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// event is a line of `up --json`, as others read it.
type event struct {
	Seq      uint64    `json:"seq"`
	Time     time.Time `json:"time"`
	Type     string    `json:"type"`
	Resource string    `json:"resource"`
	ID       string    `json:"id"`
	Ready    bool      `json:"ready"`
	ExitCode *int      `json:"exit_code"`
	Error    string    `json:"error"`
	Missed   uint64    `json:"missed"`
}

func (e event) String() string {
	text := strings.TrimSpace(fmt.Sprintf("%d %s %s", e.Seq, e.Type, e.Resource))
	if e.Error != "" {
		text += ": " + e.Error
	}
	return text
}

const (
	stackStarted  = "stack_started"
	stackStopping = "stack_stopping"
	exitedEvent   = "resource_exited"
)

// program is where and how the program under test runs.
type program struct {
	path string
	dir  string
	// home is for its configuration and its sockets.
	home string
	// host is the address of the engine.
	host string
	// patience is what the program allows its engine for an answer; 0 is the
	// program's default.
	patience time.Duration
	// inside, if it isn't nil, makes the command line that runs it where the
	// engine is.
	inside func(args ...string) []string
}

// run is one run of the program.
type run struct {
	command *exec.Cmd
	stdout  bytes.Buffer
	stderr  bytes.Buffer
	ended   chan struct{}

	mu     sync.Mutex
	events []event
	// bad are lines that are no events, and gaps in the numbers.
	bad []string
	// heard is closed, and made anew, with every event.
	heard chan struct{}
	// onEvent is called with each event, in its order, before it is in events.
	onEvent func(n int, e event)
	stuck   bool
}

// begin starts the program. onEvent may be nil.
func (p program) begin(onEvent func(n int, e event), args ...string) (*run, error) {
	command := append([]string{p.path}, args...)
	if p.inside != nil {
		command = p.inside(command...)
	}
	r := &run{command: exec.Command(command[0], command[1:]...), ended: make(chan struct{}), heard: make(chan struct{}), onEvent: onEvent}
	r.command.Dir = p.dir
	r.command.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + p.home, "XDG_RUNTIME_DIR=" + p.home, "DOCKER_HOST=" + p.host,
		"GOTRACEBACK=all",
	}
	if p.patience > 0 {
		r.command.Env = append(r.command.Env, "LIGHTSHUTTLE_TIMEOUTS_ENGINE="+p.patience.String())
	}
	r.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	r.command.Stderr = &r.stderr
	// Its children may keep the pipes open when it is gone.
	r.command.WaitDelay = time.Second
	stdout, err := r.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := r.command.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(r.ended)
		r.listen(stdout)
		_ = r.command.Wait() // the code says it
	}()
	return r, nil
}

func (r *run) listen(stdout io.Reader) {
	lines := bufio.NewReader(stdout)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			r.line(line)
		}
		if err != nil {
			return
		}
	}
}

func (r *run) line(line []byte) {
	r.stdout.Write(line)
	var e event
	isEvent := json.Unmarshal(line, &e) == nil && e.Type != ""
	r.mu.Lock()
	n := len(r.events)
	r.mu.Unlock()
	if isEvent && r.onEvent != nil {
		r.onEvent(n+1, e)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !isEvent {
		r.bad = append(r.bad, string(line))
		return
	}
	if last := len(r.events) - 1; last >= 0 && e.Seq != r.events[last].Seq+1 {
		r.bad = append(r.bad, fmt.Sprintf("event %d follows event %d", e.Seq, r.events[last].Seq))
	}
	r.events = append(r.events, e)
	close(r.heard)
	r.heard = make(chan struct{})
}

func (r *run) seen() []event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.events)
}

var errStuck = errors.New("it got stuck")

// await waits for an event that matches. It is false when the program ended
// before that.
func (r *run) await(limit time.Duration, match func(event) bool) (bool, error) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for from := 0; ; {
		r.mu.Lock()
		events, heard := r.events, r.heard
		r.mu.Unlock()
		for ; from < len(events); from++ {
			if match(events[from]) {
				return true, nil
			}
		}
		select {
		case <-heard:
		case <-r.ended:
			return slices.ContainsFunc(r.seen()[from:], match), nil
		case <-timer.C:
			r.dump()
			return false, fmt.Errorf("%w: nothing of what was awaited within %s", errStuck, limit)
		}
	}
}

func isStarted(e event) bool { return e.Type == stackStarted }

// dump ends a program that is stuck, so that it says where.
func (r *run) dump() {
	select {
	case <-r.ended:
		return
	default:
	}
	r.mu.Lock()
	r.stuck = true
	r.mu.Unlock()
	_ = r.command.Process.Signal(syscall.SIGQUIT) // it ends meanwhile
	select {
	case <-r.ended:
	case <-time.After(5 * time.Second):
		r.kill()
	}
}

func (r *run) signal(signal syscall.Signal) { _ = r.command.Process.Signal(signal) } // it has ended already

// kill kills the program, as kill -9 does, and returns when it is gone.
func (r *run) kill() {
	r.signal(syscall.SIGKILL)
	<-r.ended
}

// wait waits for the end of the program and returns its exit code.
func (r *run) wait() (int, error) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-r.ended:
		return r.command.ProcessState.ExitCode(), nil
	case <-timer.C:
		r.dump()
		return 0, fmt.Errorf("%w: it didn't end within %s", errStuck, patience)
	}
}

// once runs the program to its end.
func (p program) once(args ...string) (*run, int, error) {
	r, err := p.begin(nil, args...)
	if err != nil {
		return nil, 0, err
	}
	code, err := r.wait()
	return r, code, err
}
