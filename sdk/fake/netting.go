package fake

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// EnsureNetwork implements sdk.Networker.
func (e *Engine) EnsureNetwork(ctx context.Context, network sdk.Network) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	there, ok := e.networks[network.Name]
	if ok && there.Project != network.Project {
		return false, sdk.Errorf(sdk.CodeConflict, "network", "the network %s isn't the project's", network.Name)
	}
	e.networks[network.Name] = network
	return !ok, nil
}

// RemoveNetwork implements sdk.Networker.
func (e *Engine) RemoveNetwork(ctx context.Context, network sdk.Network) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if there, ok := e.networks[network.Name]; ok && there.Project != network.Project {
		return sdk.Errorf(sdk.CodeConflict, "network", "the network %s isn't the project's", network.Name)
	}
	delete(e.networks, network.Name)
	return nil
}

// bind gives a container its host ports. The caller has the lock.
func (e *Engine) bind(wanted []sdk.PortBinding) ([]sdk.PortBinding, *sdk.Error) {
	bound := slices.Clone(wanted)
	for i := range bound {
		p := &bound[i]
		if p.Protocol == "" {
			p.Protocol = sdk.TCP
		}
		if p.HostPort == 0 {
			e.nextPort++
			p.HostPort = e.nextPort
			continue
		}
		if e.holder(p.Protocol, p.HostPort) != nil || taken(*p) {
			return nil, sdk.Errorf(sdk.CodePortInUse, "start", "the port %d is in use", p.HostPort)
		}
	}
	return bound, nil
}

// taken says whether another program listens there.
func taken(p sdk.PortBinding) bool {
	if p.Protocol != sdk.TCP {
		return false
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(p.HostIP, strconv.Itoa(int(p.HostPort))))
	if err == nil {
		_ = listener.Close()
	}
	return errors.Is(err, syscall.EADDRINUSE)
}

func (e *Engine) holder(protocol sdk.Protocol, hostPort uint16) *box {
	for _, b := range e.containers {
		if b.state.Ended() {
			continue
		}
		for _, p := range b.state.Ports {
			if p.Protocol == protocol && p.HostPort == hostPort {
				return b
			}
		}
	}
	return nil
}

// PublishedPorts implements sdk.PortFinder.
func (e *Engine) PublishedPorts(ctx context.Context) ([]sdk.PublishedPort, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	var published []sdk.PublishedPort
	for _, b := range e.containers {
		if !b.running() {
			continue
		}
		for _, p := range b.state.Ports {
			published = append(published, sdk.PublishedPort{PortBinding: p, Container: b.state.Name, Project: b.spec.Project})
		}
	}
	return published, nil
}

// Dial reaches a published port, as a program on the host would.
func (e *Engine) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	var inside string
	b := e.holder(sdk.Protocol(network), uint16(number))
	if b != nil {
		for _, p := range b.state.Ports {
			if p.HostPort == uint16(number) && p.HostIP == host {
				inside = strconv.Itoa(int(p.ContainerPort))
			}
		}
	}
	e.mu.Unlock()
	if inside == "" {
		return nil, fmt.Errorf("connect %s: %w", address, syscall.ECONNREFUSED)
	}
	return e.connect(ctx, b, network, inside)
}

// dialFrom resolves names as the container does.
func (e *Engine) dialFrom(from *box) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		if host == "127.0.0.1" || host == "localhost" {
			return e.connect(ctx, from, network, port)
		}
		e.mu.Lock()
		var to *box
		for _, b := range e.containers {
			if b.running() && from.spec.Network != "" && b.spec.Network == from.spec.Network && (b.spec.Name == host || slices.Contains(b.spec.Aliases, host)) {
				to = b
			}
		}
		e.mu.Unlock()
		if to == nil {
			return nil, fmt.Errorf("no such host: %s", host)
		}
		return e.connect(ctx, to, network, port)
	}
}

// connect reaches what listens in a container.
func (e *Engine) connect(ctx context.Context, b *box, network, port string) (net.Conn, error) {
	e.mu.Lock()
	var l *listener
	var s *socket
	if b.run != nil {
		l, s = b.run.listeners[port], b.run.sockets[port]
	}
	e.mu.Unlock()
	ours, theirs := net.Pipe()
	switch {
	case network == "udp" && s != nil:
		go s.receive(theirs)
		return ours, nil
	case strings.HasPrefix(network, "tcp") && l != nil:
		select {
		case l.incoming <- theirs:
			return ours, nil
		case <-l.closed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return nil, fmt.Errorf("connect %s: %w", port, syscall.ECONNREFUSED)
}
