package fake

import (
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"
)

// listener is a TCP port that a program in a container listens on.
type listener struct {
	incoming chan net.Conn
	closed   chan struct{}
	once     sync.Once
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.incoming:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *listener) Addr() net.Addr { return peer{} }

// listenIn opens ports in one life of a container.
func (e *Engine) listenIn(this *run) func(network, address string) (net.Listener, error) {
	return func(_, address string) (net.Listener, error) {
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		e.mu.Lock()
		defer e.mu.Unlock()
		if this.listeners[port] != nil {
			return nil, fmt.Errorf("listen %s: %w", address, syscall.EADDRINUSE)
		}
		l := &listener{incoming: make(chan net.Conn), closed: make(chan struct{})}
		this.listeners[port] = l
		return l, nil
	}
}

// socket is a UDP port that a program in a container listens on.
type socket struct {
	datagrams chan datagram
	closed    chan struct{}
	once      sync.Once
}

type datagram struct {
	data []byte
	from peer
}

// peer is the address of one end of a pipe.
type peer struct{ net.Conn }

func (peer) Network() string { return "fake" }
func (peer) String() string  { return "fake:0" }

// receive takes datagrams from a connection until it is closed.
func (s *socket) receive(from net.Conn) {
	defer from.Close()
	buffer := make([]byte, 1500)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		select {
		case s.datagrams <- datagram{append([]byte{}, buffer[:n]...), peer{from}}:
		case <-s.closed:
			return
		}
	}
}

func (s *socket) ReadFrom(p []byte) (int, net.Addr, error) {
	select {
	case d := <-s.datagrams:
		return copy(p, d.data), d.from, nil
	case <-s.closed:
		return 0, nil, net.ErrClosed
	}
}

func (s *socket) WriteTo(p []byte, to net.Addr) (int, error) {
	_, _ = to.(peer).Write(p) // as with datagrams, nobody may be there
	return len(p), nil
}

func (s *socket) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}

func (s *socket) LocalAddr() net.Addr              { return peer{} }
func (s *socket) SetDeadline(time.Time) error      { return nil }
func (s *socket) SetReadDeadline(time.Time) error  { return nil }
func (s *socket) SetWriteDeadline(time.Time) error { return nil }

func (e *Engine) listenPacketIn(this *run) func(network, address string) (net.PacketConn, error) {
	return func(_, address string) (net.PacketConn, error) {
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		e.mu.Lock()
		defer e.mu.Unlock()
		s := &socket{datagrams: make(chan datagram), closed: make(chan struct{})}
		this.sockets[port] = s
		return s, nil
	}
}
