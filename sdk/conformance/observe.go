package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/conformance/workload"
)

// pollInterval is the time between two looks at what nothing tells of.
const pollInterval = 20 * time.Millisecond

// until looks until f says that it is so, and fails the check if it never is.
func (s *stage) until(what string, f func() bool) {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for !f() {
		select {
		case <-s.ctx.Done():
			s.fail("waited in vain until %s", what)
		case <-tick.C:
		}
	}
}

func (s *stage) pause(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-s.ctx.Done():
		s.fail("out of time")
	case <-timer.C:
	}
}

func (s *stage) inspect(id string) sdk.State {
	state, err := s.Runtime.(sdk.Inspector).Inspect(s.ctx, id)
	s.must("inspect", err)
	return state
}

func (s *stage) list(project string) []sdk.State {
	states, err := s.Runtime.(sdk.Lister).List(s.ctx, project)
	s.must("list", err)
	return states
}

// ended waits for the end of the container and returns its state.
func (s *stage) ended(id string) sdk.State {
	var state sdk.State
	s.until("the container has ended", func() bool {
		state = s.inspect(id)
		return state.Ended()
	})
	return state
}

// wantExit notes a problem if the container didn't end with the code.
func (s *stage) wantExit(doing string, state sdk.State, code int) {
	switch {
	case !state.Ended():
		s.errorf("%s: the container is %s, wanted it ended", doing, state.Status)
	case state.ExitCode == nil:
		s.errorf("%s: the container has ended without an exit code, wanted %d", doing, code)
	case *state.ExitCode != code:
		s.errorf("%s: exit code %d, wanted %d", doing, *state.ExitCode, code)
	}
}

// printed is what a container has printed.
type printed struct {
	all     map[sdk.Stream]*bytes.Buffer
	entries []sdk.LogEntry
}

func (p printed) stdout() string { return p.all[sdk.Stdout].String() }
func (p printed) stderr() string { return p.all[sdk.Stderr].String() }

// logs reads a log to its end.
func (s *stage) logs(ctx context.Context, id string, options sdk.LogOptions) (printed, error) {
	p := printed{all: map[sdk.Stream]*bytes.Buffer{sdk.Stdout: {}, sdk.Stderr: {}}}
	err := s.Runtime.(sdk.Logger).Logs(ctx, id, options, func(entry sdk.LogEntry) error {
		to := p.all[entry.Stream]
		if to == nil {
			return fmt.Errorf("there is no stream %q", entry.Stream)
		}
		to.Write(entry.Data)
		entry.Data = bytes.Clone(entry.Data)
		p.entries = append(p.entries, entry)
		return nil
	})
	return p, err
}

// output reads all that the container prints, up to its end.
func (s *stage) output(id string) printed {
	p, err := s.logs(s.ctx, id, sdk.LogOptions{Follow: true, Tail: -1})
	s.must("follow the log", err)
	return p
}

var errEnough = errors.New("that is enough")

// awaitLine waits until the container has printed a line that contains text:
// the program is then as far as that.
func (s *stage) awaitLine(id, text string) {
	var seen bytes.Buffer
	err := s.Runtime.(sdk.Logger).Logs(s.ctx, id, sdk.LogOptions{Follow: true, Tail: -1}, func(entry sdk.LogEntry) error {
		seen.Write(entry.Data)
		if strings.Contains(seen.String(), text) {
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) {
		s.fail("waited in vain for the line %q in the log: %v; it has %.300q", text, err, seen.String())
	}
}

// self runs the test program with a changed spec, and returns what it sees of
// itself. A runtime may refuse the field, by one of its names.
func (s *stage) self(change func(*sdk.Spec), names ...string) workload.Self {
	spec := s.spec("shown", "show")
	change(&spec)
	id := s.honoured(spec, names...)
	p := s.output(id)
	var self workload.Self
	if err := json.Unmarshal([]byte(p.stdout()), &self); err != nil {
		s.fail("the container printed %.300q, and %.300q to stderr: %v", p.stdout(), p.stderr(), err)
	}
	return self
}

// soon runs an operation whose context ends, and checks that it returns soon
// after, with an error that wraps the context's. Without end the context has
// ended before it begins.
func (s *stage) soon(doing string, op func(ctx context.Context) error, end func(cancel context.CancelFunc)) {
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	if end == nil {
		cancel()
		end = func(context.CancelFunc) {}
	}
	done := make(chan error, 1)
	go func() {
		defer func() {
			if caught := recover(); caught != nil {
				done <- fmt.Errorf("panic: %v", caught)
			}
		}()
		done <- op(ctx)
	}()
	end(cancel)
	timer := time.NewTimer(s.Soon)
	defer timer.Stop()
	select {
	case err := <-done:
		s.wantContextError(doing, err, context.Canceled)
	case <-timer.C:
		s.fail("%s: doesn't return %s after its context has ended", doing, s.Soon)
	}
}

func (s *stage) wantContextError(doing string, err, cause error) {
	if sdk.IsCode(err, sdk.CodeUnsupported) {
		panic(refused{err.Error()})
	}
	switch {
	case err == nil:
		s.errorf("%s: succeeded, wanted an error that wraps the context's", doing)
	case !errors.Is(err, cause):
		s.errorf("%s: %s doesn't wrap the context's error", doing, describe(err))
	case sdk.CodeOf(err) != sdk.CodeOf(cause):
		s.errorf("%s: %s, wanted the code %s", doing, describe(err), sdk.CodeOf(cause))
	}
}

// after cancels a while after the operation began.
func (s *stage) after(d time.Duration) func(context.CancelFunc) {
	return func(cancel context.CancelFunc) {
		s.pause(d)
		cancel()
	}
}

// together runs f n times at once and returns the errors.
func together(n int, f func(i int) error) []error {
	errs := make([]error, n)
	done := make(chan struct{})
	for i := range n {
		go func() {
			defer func() {
				if caught := recover(); caught != nil {
					errs[i] = fmt.Errorf("panic: %v", caught)
				}
				done <- struct{}{}
			}()
			errs[i] = f(i)
		}()
	}
	for range n {
		<-done
	}
	return errs
}

func (s *stage) allMust(doing string, errs []error) {
	for _, err := range errs {
		if err != nil {
			s.errorf("%s: %s", doing, describe(err))
		}
	}
}

// defaultPort is where the test program listens.
const defaultPort = 8080

// port is a port for a workload to listen on.
func (s *stage) port() uint16 {
	if !s.HostNetwork {
		return defaultPort
	}
	return s.freePort()
}

// freePort is a port that nobody has at the moment.
func (s *stage) freePort() uint16 {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	s.must("find a free port", err)
	defer func() { _ = listener.Close() }()
	return uint16(listener.Addr().(*net.TCPAddr).Port) //nolint:gosec // ports fit
}

// binding publishes the port of a workload, on a host port that the engine
// chooses where it can.
func (s *stage) binding(port uint16, protocol sdk.Protocol) sdk.PortBinding {
	b := sdk.PortBinding{HostIP: "127.0.0.1", ContainerPort: port, Protocol: protocol}
	if s.HostNetwork {
		b.HostPort = port
	}
	return b
}

// served is a workload that serves HTTP on a published port.
func (s *stage) served() (sdk.Spec, uint16) {
	port := s.port()
	spec := s.spec("web", "serve", fmt.Sprint(port))
	spec.Ports = []sdk.PortBinding{s.binding(port, sdk.TCP)}
	return spec, port
}

func labelsMissing(got, want map[string]string) []string {
	var missing []string
	for name, value := range want {
		if have, ok := got[name]; !ok || have != value {
			missing = append(missing, fmt.Sprintf("%s=%q (is %q)", name, value, have))
		}
	}
	slices.Sort(missing)
	return missing
}
