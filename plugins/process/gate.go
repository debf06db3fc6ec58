//go:build unix

package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// A process that listens on the loopback address alone is out of the reach of
// containers, and that is how most should listen: everything else is open to
// whoever reaches this machine. So the supervisor listens for it at the gateway
// of the containers' network, and passes on what comes from that network.
//
// Many programs listen on all addresses while their manifest says nothing of it.
// They would be refused a port that we have at one of these addresses, so a gate
// opens only after the process listens, and stays shut where it has taken the
// gateway itself.

// OpenGates implements sdk.Gatekeeper.
func (r *Runtime) OpenGates(ctx context.Context, project string, gateways []netip.Prefix) error {
	_, err := r.ask(ctx, project, request{Op: opGates, Gateways: gateways})
	if isGone(err) {
		return nil // no process lives that could be reached
	}
	return failed(opGates, "", err)
}

// gates are those of one process. The supervisor's mu guards them.
type gates struct {
	// open has a nil for a gate that isn't needed.
	open map[netip.AddrPort]net.Listener
	// look runs until the next look whether the process listens.
	look *time.Timer
}

// close shuts the gates. What was led through one goes on as long as both of
// its ends do.
func (g *gates) close() {
	if g.look != nil {
		g.look.Stop()
	}
	for _, gate := range g.open {
		if gate != nil {
			_ = gate.Close()
		}
	}
	*g = gates{}
}

const (
	firstGateLook = 5 * time.Millisecond
	lastGateLook  = time.Second
)

// openGates replaces the gateways, and opens the gates of what listens now.
func (s *supervisor) openGates(gateways []netip.Prefix) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	changed := !slices.Equal(s.gateways, gateways)
	s.gateways = gateways
	var errs []error
	for _, p := range s.processes {
		if changed {
			p.gates.close()
		}
		errs = append(errs, s.lookForGates(p, firstGateLook))
	}
	return errors.Join(errs...)
}

// lookForGates opens what gates of a process can be opened, and looks again
// after a pause if there are others. The caller holds mu.
func (s *supervisor) lookForGates(p *child, pause time.Duration) error {
	if !s.leadsTo(p) {
		return nil
	}
	all, err := s.openGatesOf(p)
	if !all && err == nil {
		s.lookForGatesIn(p, pause)
	}
	return err
}

// lookForGatesIn looks for gates after a pause, and again after ever longer ones.
// The caller holds mu.
func (s *supervisor) lookForGatesIn(p *child, pause time.Duration) {
	if !s.leadsTo(p) {
		return
	}
	if p.gates.look != nil {
		p.gates.look.Stop()
	}
	p.gates.look = time.AfterFunc(pause, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if err := s.lookForGates(p, min(2*pause, lastGateLook)); err != nil {
			fmt.Fprintln(os.Stderr, p.id, err)
		}
	})
}

// leadsTo says whether containers are to be led to a process that runs. The
// caller holds mu.
func (s *supervisor) leadsTo(p *child) bool {
	return p.spec.Network != "" && len(s.gateways) > 0 && p.pid != 0 && !p.reaped && !p.over
}

// openGatesOf says whether all gates of a process are open. The caller holds mu.
func (s *supervisor) openGatesOf(p *child) (all bool, err error) {
	all = true
	for _, port := range p.spec.Ports {
		if !port.NeedsGate() {
			continue
		}
		there, err := listens(port.HostPort)
		if err != nil {
			return false, fmt.Errorf("see whether it listens on port %d: %w", port.HostPort, err)
		}
		if !there {
			all = false
			continue
		}
		for _, gateway := range s.gateways {
			if err := p.gates.add(gateway, port); err != nil {
				return false, err
			}
		}
	}
	return all, nil
}

// add opens a gate, unless it is open or the process listens there itself.
func (g *gates) add(gateway netip.Prefix, port sdk.PortBinding) error {
	at := netip.AddrPortFrom(gateway.Addr(), port.HostPort)
	if _, known := g.open[at]; known {
		return nil
	}
	if g.open == nil {
		g.open = map[netip.AddrPort]net.Listener{}
	}
	listening := net.ListenConfig{Control: bindAhead}
	gate, err := listening.Listen(context.Background(), "tcp", at.String())
	if errors.Is(err, unix.EADDRINUSE) {
		g.open[at] = nil
		return nil
	}
	if err != nil {
		return &sdk.Error{
			Code: sdk.CodeOf(err), Err: fmt.Errorf("lead containers from %s to the process: %w", at, err),
			Hint: "have it listen on all addresses, and say so: ports: [\"0.0.0.0:" + strconv.Itoa(int(port.HostPort)) + "\"]",
		}
	}
	g.open[at] = gate
	go lead(gate, gateway.Masked(), net.JoinHostPort(port.HostIP, strconv.Itoa(int(port.HostPort))))
	return nil
}

// lead passes on what comes from a network, until the gate is shut. Who else
// reaches the gateway is refused: this machine's neighbours can, too.
func lead(gate net.Listener, from netip.Prefix, to string) {
	for {
		conn, err := gate.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // no descriptor is left, for one
			<-time.After(lastGateLook)
			continue
		}
		inner := conn.(*net.TCPConn)                                        //nolint:forcetypeassert // what else would a TCP listener accept
		peer := inner.RemoteAddr().(*net.TCPAddr).AddrPort().Addr().Unmap() //nolint:forcetypeassert // as above
		if !from.Contains(peer) {
			refuse(inner)
			continue
		}
		go pass(inner, to)
	}
}

// refuse resets a connection, as the system does where nobody listens.
func refuse(conn *net.TCPConn) {
	_ = conn.SetLinger(0)
	_ = conn.Close()
}

// pass connects the two, each direction until its own end.
func pass(from *net.TCPConn, address string) {
	defer func() { _ = from.Close() }()
	var dialer net.Dialer
	dialed, err := dialer.DialContext(context.Background(), "tcp", address) // this machine answers at once
	if err != nil {
		refuse(from)
		return
	}
	to := dialed.(*net.TCPConn) //nolint:forcetypeassert // it was dialed as one
	defer func() { _ = to.Close() }()
	var both sync.WaitGroup
	both.Go(func() { copyTo(to, from) })
	copyTo(from, to)
	both.Wait()
}

// copyTo copies until the end, and says that it is the end. When it can't be
// delivered, the sender is told.
func copyTo(to, from *net.TCPConn) {
	if _, err := io.Copy(to, from); err != nil {
		refuse(to)
		refuse(from)
		return
	}
	_ = to.CloseWrite()
}
