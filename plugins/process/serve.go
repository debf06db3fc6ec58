//go:build unix

package process

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// accept serves every client until the listener is closed.
func (s *supervisor) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		if !s.enter() {
			_ = conn.Close()
			continue
		}
		go func() {
			defer s.exit()
			defer conn.Close()
			s.serve(conn)
		}()
	}
}

func (s *supervisor) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leaving {
		return false
	}
	s.clients++
	s.connected = true
	return true
}

func (s *supervisor) exit() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clients--
	s.leaveIfIdle()
}

// client is a connection to a client.
type client struct {
	s    *supervisor
	conn net.Conn
	// gone is closed when the client hangs up.
	gone chan struct{}
	// work are the requests that are being answered.
	work sync.WaitGroup

	writing sync.Mutex

	mu sync.Mutex
	// forgotten are closed for requests whose reply nobody waits for.
	forgotten map[uint64]chan struct{}
}

// serve greets, and answers requests until the client hangs up and the last of
// them is done.
func (s *supervisor) serve(conn net.Conn) {
	c := &client{s: s, conn: conn, gone: make(chan struct{}), forgotten: map[uint64]chan struct{}{}}
	if c.send(greeting{Protocol: protocol, PID: os.Getpid()}) != nil {
		return
	}
	defer c.work.Wait()
	defer close(c.gone)
	requests := json.NewDecoder(bufio.NewReader(conn))
	for {
		var r request
		if requests.Decode(&r) != nil {
			return
		}
		c.handle(r)
	}
}

func (c *client) send(what any) error {
	data, err := json.Marshal(what)
	if err != nil {
		return err
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	_, err = c.conn.Write(append(data, '\n'))
	return err
}

// reply answers a request; who hung up needs no answer.
func (c *client) reply(r request, answer reply) {
	answer.Number = r.Number
	_ = c.send(answer)
}

// handle answers at once what takes no time, and lets other work go on beside.
// A start is on record when it returns, so that a removal which follows finds it.
func (c *client) handle(r request) {
	switch r.Op {
	case opInspect:
		known, there := c.s.journal.get(r.ID)
		if !there {
			c.reply(r, answerOf(errNoProcess))
			return
		}
		c.reply(r, reply{Record: &known})
	case opList:
		c.reply(r, reply{All: c.s.journal.all()})
	case opForget:
		c.forget(r.Number)
	case opStart:
		p, err := c.s.begin(r)
		if err != nil {
			c.reply(r, answerOf(err))
			return
		}
		c.work.Go(func() { c.start(p, r) })
	default:
		forgotten := c.remember(r)
		c.work.Go(func() {
			defer c.forget(r.Number)
			c.serveOne(r, forgotten)
		})
	}
}

// remember makes what is closed when nobody waits for the reply any more.
func (c *client) remember(r request) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	forgotten := make(chan struct{})
	c.forgotten[r.Number] = forgotten
	return forgotten
}

func (c *client) forget(number uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if forgotten := c.forgotten[number]; forgotten != nil {
		close(forgotten)
		delete(c.forgotten, number)
	}
}

// start starts a process. One whose client has hung up meanwhile, so that nobody
// knows of it, is removed again.
func (c *client) start(p *child, r request) {
	err := c.s.start(p, r)
	select {
	case <-c.gone:
		if err == nil {
			err = c.s.remove(p)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, p.id, err)
		}
	default:
		c.reply(r, answerOf(err))
	}
}

// serveOne does what takes its time.
func (c *client) serveOne(r request, forgotten <-chan struct{}) {
	if r.Op == opWatch {
		c.watch(r)
		_ = c.conn.Close() // so it hears that there is no more
		return
	}
	if r.Op == opGates {
		c.reply(r, answerOf(c.s.openGates(r.Gateways)))
		return
	}
	p := c.s.find(r.ID)
	if p == nil {
		var err error
		if r.Op != opStop && r.Op != opRemove {
			err = errNoProcess
		}
		c.reply(r, answerOf(err))
		return
	}
	var err error
	switch r.Op {
	case opStop:
		<-p.started
		c.s.stop(p, r.Grace)
		c.await(p, forgotten) // it goes on all the same
	case opRemove:
		err = c.s.remove(p)
	case opRestart:
		err = c.s.setRestart(p, r.Restart)
	case opWait:
		c.await(p, forgotten)
	case opFollow:
		err = c.follow(p, r)
	default:
		err = sdk.Errorf(sdk.CodeInternal, "", "unknown request %q", r.Op)
	}
	c.reply(r, answerOf(err))
}

// await waits for the end of a process, as long as anybody wants to know.
func (c *client) await(p *child, forgotten <-chan struct{}) {
	select {
	case <-p.ended:
	case <-forgotten:
	case <-c.gone:
	}
}

func answerOf(err error) reply {
	if err == nil {
		return reply{}
	}
	answer := reply{Code: sdk.CodeOf(err), Error: err.Error()}
	if e, ok := errors.AsType[*sdk.Error](err); ok {
		answer.Error, answer.Hint = e.Reason(), e.Hint
	}
	return answer
}

func (s *supervisor) find(id string) *child {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.processes[id]
}

var errOver = sdk.Errorf(sdk.CodeExited, "", "it has ended")

// follow tells of output until the process has ended.
func (c *client) follow(p *child, r request) error {
	more := make(chan struct{}, 1)
	more <- struct{}{} // before anybody else can fill it
	c.s.mu.Lock()
	if p.over {
		c.s.mu.Unlock()
		return errOver
	}
	p.followers[more] = struct{}{}
	c.s.mu.Unlock()
	defer func() {
		c.s.mu.Lock()
		defer c.s.mu.Unlock()
		delete(p.followers, more)
	}()
	for {
		select {
		case <-more:
			c.reply(r, reply{})
		case <-p.ended:
			return errOver
		case <-c.gone:
			return errOver
		}
	}
}

// grown tells the followers of a process that there is more.
func (s *supervisor) grown(p *child) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for more := range p.followers {
		select {
		case more <- struct{}{}:
		default: // it was told already
		}
	}
}

// watcher is a client that hears of events.
type watcher struct {
	events chan sdk.Event
	gone   bool
}

// watcherBacklog is how many events a client may be behind; more, and it is
// hung up on, so that it looks again.
const watcherBacklog = 4096

func (c *client) watch(r request) {
	w := &watcher{events: make(chan sdk.Event, watcherBacklog)}
	c.s.mu.Lock()
	c.s.watchers[w] = struct{}{}
	var before []sdk.Event
	if !r.Since.IsZero() {
		before = c.s.eventsSince(r.Since)
	}
	c.s.mu.Unlock()
	defer func() {
		c.s.mu.Lock()
		defer c.s.mu.Unlock()
		c.s.drop(w)
	}()
	c.reply(r, reply{})
	for _, event := range before {
		c.reply(r, reply{Event: &event})
	}
	for {
		select {
		case <-c.gone:
			return
		case event, more := <-w.events:
			if !more {
				return
			}
			c.reply(r, reply{Event: &event})
		}
	}
}

// drop ends a subscription. The caller holds mu.
func (s *supervisor) drop(w *watcher) {
	if w.gone {
		return
	}
	w.gone = true
	delete(s.watchers, w)
	close(w.events)
}

// emit tells all watchers. The caller holds mu.
func (s *supervisor) emit(p *child, what sdk.EventType, at time.Time) {
	event := p.event(what, at)
	for w := range s.watchers {
		select {
		case w.events <- event:
		default:
			s.drop(w)
		}
	}
}

func (p *child) event(what sdk.EventType, at time.Time) sdk.Event {
	event := sdk.Event{Type: what, ID: p.id, Name: p.spec.Name, Resource: p.spec.Resource, Time: at}
	if what == sdk.EventExited && p.status.ExitCode != nil {
		event.ExitCode = *p.status.ExitCode
	}
	return event
}

// eventsSince is what is remembered. The caller holds mu.
func (s *supervisor) eventsSince(since time.Time) []sdk.Event {
	var events []sdk.Event
	for _, p := range s.processes {
		if p.status.StartedAt.After(since) {
			events = append(events, p.event(sdk.EventStarted, p.status.StartedAt))
		}
		if (p.over || p.again.timer != nil) && p.status.FinishedAt.After(since) {
			events = append(events, p.event(sdk.EventExited, p.status.FinishedAt))
		}
	}
	return events
}
