package preflight

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"

	gopsutil "github.com/shirou/gopsutil/v4/net"
	"github.com/shirou/gopsutil/v4/process"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Ports knows which host ports are taken. An engine may hold a port without any
// socket to be seen, so both are asked: the engine and the host.
type Ports struct {
	project   string
	published []sdk.PublishedPort
}

// LookAtPorts asks the runtime, if it can tell, which ports it has given away.
// Those of the project itself don't count as taken.
func LookAtPorts(ctx context.Context, runtime sdk.Runtime, project string) (*Ports, error) {
	ports := &Ports{project: project}
	finder, ok := runtime.(sdk.PortFinder)
	if !ok {
		return ports, nil
	}
	var err error
	ports.published, err = finder.PublishedPorts(ctx)
	return ports, err
}

// Holder says who has the port, for people; "" if nobody has.
func (p *Ports) Holder(wanted sdk.PortBinding) string {
	for _, published := range p.published {
		if published.HostPort != wanted.HostPort || published.Protocol != wanted.Protocol || !overlap(published.HostIP, wanted.HostIP) {
			continue
		}
		if published.Project == p.project {
			return ""
		}
		if published.Project != "" {
			return fmt.Sprintf("container %s of project %s", published.Container, published.Project)
		}
		return "container " + published.Container
	}
	if bindable(wanted) {
		return ""
	}
	return listener(wanted)
}

// overlap says whether two addresses can't have the same port.
func overlap(a, b string) bool {
	first, errA := netip.ParseAddr(a)
	second, errB := netip.ParseAddr(b)
	if errA != nil || errB != nil {
		return true
	}
	return first == second || first.IsUnspecified() || second.IsUnspecified()
}

// bindable tries the port. What fails for another reason than that it is in
// use is for the engine to judge: it may have rights that we haven't.
func bindable(wanted sdk.PortBinding) bool {
	address := net.JoinHostPort(wanted.HostIP, strconv.Itoa(int(wanted.HostPort)))
	var err error
	if wanted.Protocol == sdk.UDP {
		var connection net.PacketConn
		if connection, err = net.ListenPacket("udp", address); err == nil {
			err = connection.Close()
		}
	} else {
		var listening net.Listener
		if listening, err = net.Listen("tcp", address); err == nil {
			err = listening.Close()
		}
	}
	return !errors.Is(err, syscall.EADDRINUSE)
}

// listener names the process that listens on the port.
func listener(wanted sdk.PortBinding) string {
	const unknown = "another process"
	connections, err := gopsutil.Connections(string(wanted.Protocol))
	if err != nil {
		return unknown
	}
	for _, c := range connections {
		listens := c.Status == "LISTEN" || wanted.Protocol == sdk.UDP
		if !listens || c.Laddr.Port != uint32(wanted.HostPort) || !overlap(c.Laddr.IP, wanted.HostIP) || c.Pid == 0 {
			continue
		}
		owner, err := process.NewProcess(c.Pid)
		if err != nil {
			continue
		}
		name, err := owner.Name()
		if err != nil {
			continue
		}
		return fmt.Sprintf("%s (pid %d)", name, c.Pid)
	}
	return unknown
}

// Free returns a port of the loopback address that nobody has. Somebody may
// take it before it is used; then the start says so.
func (p *Ports) Free() (uint16, error) {
	const tries = 50
	for range tries {
		listening, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return 0, fmt.Errorf("find a free port: %w", err)
		}
		port := uint16(listening.Addr().(*net.TCPAddr).Port) //nolint:gosec,forcetypeassert // a TCP listener's address, and a port fits
		if err := listening.Close(); err != nil {
			return 0, fmt.Errorf("find a free port: %w", err)
		}
		if p.Holder(sdk.PortBinding{HostIP: "127.0.0.1", HostPort: port, Protocol: sdk.TCP}) == "" {
			return port, nil
		}
	}
	return 0, errors.New("find a free port: none was found")
}
