package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// proxy stands between the program and its engine. It passes on everything as
// it is, upgraded connections and streams too, numbers the calls, and breaks
// the one that it is told to.
type proxy struct {
	address  string
	project  string
	upstream *upstream
	server   *http.Server
	serving  sync.WaitGroup
	// base ends with close: what hangs, hangs no longer.
	base context.Context
	end  context.CancelFunc

	mu     sync.Mutex
	counts map[string]int
	calls  []call
	armed  *fault
	fired  bool
	// volumes are the anonymous volumes of the containers that were created.
	volumes []string
	// passed is closed, and made anew, when a call has been answered.
	passed chan struct{}
	// streams are the connections on which events come.
	streams map[context.Context]context.CancelFunc
}

// call is one call that was seen.
type call struct {
	Site   site
	At     time.Time
	Took   time.Duration
	Status int
	// Fault is what was done to it.
	Fault faultKind
}

func (c call) String() string {
	text := fmt.Sprintf("%s %6.0f ms %3d %s", c.At.UTC().Format("15:04:05.000"), float64(c.Took.Microseconds())/1000, c.Status, c.Site)
	if c.Fault != "" {
		text += "  <- " + string(c.Fault)
	}
	return text
}

// newProxy listens at the path address for the engine whose socket is given.
func newProxy(address, engine, project string) (*proxy, error) {
	listener, err := net.Listen("unix", address)
	if err != nil {
		return nil, err
	}
	p := &proxy{
		address: address, project: project, upstream: newUpstream(engine),
		counts: map[string]int{}, passed: make(chan struct{}), streams: map[context.Context]context.CancelFunc{},
	}
	p.base, p.end = context.WithCancel(context.Background())
	p.server = &http.Server{Handler: p, BaseContext: func(net.Listener) context.Context { return p.base }, ErrorLog: silent}
	p.serving.Go(func() { _ = p.server.Serve(listener) }) // it ends with close
	return p, nil
}

func (p *proxy) close() {
	p.end()
	_ = p.server.Close() // the connections are of no use any more
	p.serving.Wait()
	p.upstream.close()
	_ = os.Remove(p.address) // the listener has usually done it
}

// arm has one call go wrong, and begins to count anew.
func (p *proxy) arm(f *fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts = map[string]int{}
	p.calls = nil
	p.armed, p.fired = f, false
}

// hasFired says whether the call that was to go wrong has been made.
func (p *proxy) hasFired() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fired
}

// seen are the calls since arm.
func (p *proxy) seen() []call {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]call(nil), p.calls...)
}

// anonymous are the volumes that came with containers.
func (p *proxy) anonymous() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.volumes...)
}

// cutStreams ends all event streams, and says how many there were.
func (p *proxy) cutStreams() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, cut := range p.streams {
		cut()
	}
	return len(p.streams)
}

// begin numbers a call and says what is to be done to it.
func (p *proxy) begin(r *http.Request) (index int, f *fault) {
	place := locate(r.Method, r.URL.Path, r.URL.Query().Get("name"), p.project, p.upstream.name)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts[place.key()]++
	place.N = p.counts[place.key()]
	seen := call{Site: place, At: time.Now()}
	if p.armed != nil && !p.fired && p.armed.Site == place {
		p.fired = true
		f = p.armed
		seen.Fault = f.Kind
	}
	p.calls = append(p.calls, seen)
	return len(p.calls) - 1, f
}

// ended notes how a call went.
func (p *proxy) ended(index int, began time.Time, status int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.passed)
	p.passed = make(chan struct{})
	if index < len(p.calls) && p.calls[index].At.Equal(began) {
		p.calls[index].Took = time.Since(began)
		p.calls[index].Status = status
	}
}

// next is closed when the next call has been answered.
func (p *proxy) next() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.passed
}

// ServeHTTP implements http.Handler.
func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// An engine may answer while it is still being asked.
	if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
		cut()
	}
	if err := takeBody(r); err != nil {
		cut()
	}
	index, f := p.begin(r)
	p.mu.Lock()
	began := p.calls[min(index, len(p.calls)-1)].At
	p.mu.Unlock()
	out := &answerWriter{ResponseWriter: w}
	defer func() { p.ended(index, began, out.status) }()
	if f == nil {
		p.pass(out, r)
		return
	}
	p.breakCall(out, r, f)
}

// bodyMost is how long a body may be that is read before it is passed on.
const bodyMost = 1 << 20

// takeBody reads the body of all requests but those that send whole files. When
// what passes it on still reads it after the answer, the server may lose the
// connection, and that would be a fault that nobody asked for.
func takeBody(r *http.Request) error {
	if r.ContentLength <= 0 || r.ContentLength > bodyMost {
		return nil
	}
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	return err
}

// pass is what a proxy does.
func (p *proxy) pass(w *answerWriter, r *http.Request) {
	if isEvents(r) {
		var done func()
		r, done = p.followStream(r)
		defer done()
	}
	response, err := p.upstream.send(r.Context(), r)
	if err != nil {
		cut() // as an engine does that isn't there
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusSwitchingProtocols {
		w.status = response.StatusCode
		relay(w, response)
		return
	}
	if isCreation(r) {
		p.noteVolumes(response)
	}
	if err := w.copyAnswer(response); err != nil {
		cut()
	}
}

// followStream makes the stream one that cutStreams can end.
func (p *proxy) followStream(r *http.Request) (*http.Request, func()) {
	ctx, cut := context.WithCancel(r.Context())
	p.mu.Lock()
	p.streams[ctx] = cut
	p.mu.Unlock()
	return r.WithContext(ctx), func() {
		p.mu.Lock()
		delete(p.streams, ctx)
		p.mu.Unlock()
		cut()
	}
}

// cut ends the connection without a word.
func cut() { panic(http.ErrAbortHandler) }

// breakCall does what is to go wrong.
func (p *proxy) breakCall(w *answerWriter, r *http.Request, f *fault) {
	if f.Kind.after() {
		p.breakAnswer(w, r, f)
		return
	}
	switch f.Kind {
	case faultDelay:
		p.wait(r.Context(), nil, delay)
		p.pass(w, r)
	case faultReorder:
		p.wait(r.Context(), p.next(), holdMost)
		p.pass(w, r)
	case faultHang:
		p.hang(r)
	case faultFail:
		w.fail(r)
	case faultEngineBefore:
		f.act()
		p.pass(w, r)
	case faultKillBefore:
		f.act()
		cut()
	default: // faultCutBefore
		cut()
	}
}

// breakAnswer lets the engine do what it is asked to, and then breaks the
// answer. The engine isn't told when the program goes away.
func (p *proxy) breakAnswer(w *answerWriter, r *http.Request, f *fault) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	defer cancel()
	response, err := p.upstream.send(ctx, r)
	if err != nil {
		cut()
	}
	defer response.Body.Close()
	if isCreation(r) {
		p.noteVolumes(response)
	}
	if f.Kind == faultCutBody {
		w.copyHalf(r, response)
		cut()
	}
	drain(response, cancel)
	switch f.Kind {
	case faultHangAfter:
		p.hang(r)
	case faultFailAfter:
		w.fail(r)
	case faultKillAfter, faultEngineAfter:
		f.act()
		cut()
	default: // faultCutAfter
		cut()
	}
}

// hang never answers.
func (p *proxy) hang(r *http.Request) {
	p.wait(r.Context(), nil, 0)
	cut()
}

// wait waits for an event or a time, and no longer than the program does. No
// time is for ever.
func (p *proxy) wait(ctx context.Context, event <-chan struct{}, limit time.Duration) {
	var over <-chan time.Time
	if limit > 0 {
		timer := time.NewTimer(limit)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-event:
	case <-over:
	case <-ctx.Done():
	case <-p.base.Done():
	}
}

// noteVolumes remembers the anonymous volumes of a container that was created:
// they carry no label, so they can be known only while the container is there.
func (p *proxy) noteVolumes(response *http.Response) {
	if response.StatusCode != http.StatusCreated {
		return
	}
	body, err := readAll(response)
	var created struct{ ID string }
	if err != nil || json.Unmarshal(body, &created) != nil {
		return
	}
	names := p.upstream.volumesOf(created.ID)
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, name := range names {
		if isAnonymous(name) {
			p.volumes = append(p.volumes, name)
		}
	}
}
