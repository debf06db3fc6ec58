package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/lightshuttle/lightshuttle/host/lifecycle"
)

// process is an `up --json` that goes on.
type process struct {
	t       *testing.T
	command *exec.Cmd
	events  chan lifecycle.Event
	// seen are the events that were waited past.
	seen   []lifecycle.Event
	stderr bytes.Buffer
	ended  bool
}

// up starts `up --json`. A process that a test forgot is killed.
func (s *testStack) up(args ...string) *process {
	s.t.Helper()
	p := &process{t: s.t, events: make(chan lifecycle.Event, 1000)}
	p.command = exec.Command("lightshuttle", append([]string{"up", "--json"}, args...)...)
	p.command.Dir = s.dir
	p.command.Stderr = &p.stderr
	stdout, err := p.command.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := p.command.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() {
		defer close(p.events)
		lines := bufio.NewScanner(stdout)
		for lines.Scan() {
			var event lifecycle.Event
			if err := json.Unmarshal(lines.Bytes(), &event); err != nil {
				s.t.Errorf("a line that isn't an event: %s", lines.Text())
			}
			p.events <- event
		}
	}()
	s.t.Cleanup(func() {
		if !p.ended {
			_ = p.command.Process.Kill()
			p.drain()
			_ = p.command.Wait()
		}
	})
	return p
}

// await waits for an event; resource may be "".
func (p *process) await(kind lifecycle.EventType, resource string) lifecycle.Event {
	p.t.Helper()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for {
		select {
		case event, more := <-p.events:
			if !more {
				p.end()
				p.t.Fatalf("it ended before %s %s:\n%s", kind, resource, p.stderr.String())
			}
			p.seen = append(p.seen, event)
			if event.Type == kind && event.Resource == resource {
				return event
			}
		case <-timeout.C:
			p.t.Fatalf("no %s %s within %s", kind, resource, patience)
		}
	}
}

func (p *process) drain() {
	for event := range p.events {
		p.seen = append(p.seen, event)
	}
}

func (p *process) signal(signal syscall.Signal) {
	p.t.Helper()
	if err := p.command.Process.Signal(signal); err != nil {
		p.t.Fatal(err)
	}
}

// end waits for the end of the process. All events are in seen then.
func (p *process) end() result {
	p.t.Helper()
	stuck := time.AfterFunc(patience, func() { _ = p.command.Process.Kill() })
	defer stuck.Stop()
	p.drain()
	_ = p.command.Wait() // the code says it
	p.ended = true
	return result{t: p.t, code: p.command.ProcessState.ExitCode(), stderr: p.stderr.String()}
}

// stop ends a stack that runs, the way Ctrl-C does.
func (p *process) stop() result {
	p.t.Helper()
	p.signal(syscall.SIGINT)
	return p.end()
}

// had says whether an event was seen, and where.
func (p *process) had(kind lifecycle.EventType, resource string) (at int, ok bool) {
	for i, event := range p.seen {
		if event.Type == kind && event.Resource == resource {
			return i, true
		}
	}
	return 0, false
}
