//go:build unix

package process

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// portsFree tries the ports on which a process is going to listen. What fails
// for another reason than that it is in use is for the process to run into.
func portsFree(ports []sdk.PortBinding) error {
	for _, port := range ports {
		if port.HostPort != 0 && errors.Is(tryPort(port), unix.EADDRINUSE) {
			return portInUse(port, "another program")
		}
	}
	return nil
}

func tryPort(port sdk.PortBinding) error {
	address := net.JoinHostPort(port.HostIP, strconv.Itoa(int(port.HostPort)))
	if port.Protocol == sdk.UDP {
		connection, err := net.ListenPacket("udp", address)
		if err != nil {
			return err
		}
		return connection.Close()
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	return listener.Close()
}

func portInUse(port sdk.PortBinding, holder string) error {
	return &sdk.Error{
		Code: sdk.CodePortInUse, Err: fmt.Errorf("port %d on %s is in use by %s", port.HostPort, port.HostIP, holder),
		Hint: "stop that, or have it listen on another port (0 takes any free one)",
	}
}

// collision is a port that both are to listen on.
func collision(ours, theirs []sdk.PortBinding) (sdk.PortBinding, bool) {
	for _, port := range ours {
		for _, other := range theirs {
			if port.HostPort != 0 && port.HostPort == other.HostPort && port.Protocol == other.Protocol && overlap(port.HostIP, other.HostIP) {
				return port, true
			}
		}
	}
	return sdk.PortBinding{}, false
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
