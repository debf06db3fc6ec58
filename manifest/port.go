package manifest

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Port is a published port.
type Port = sdk.PortBinding

// loopback is where ports are published unless an address is given.
const loopback = "127.0.0.1"

// ParsePort reads a published port: 8080, "8080:80", "127.0.0.1:8080:80",
// "[::1]:8080:80", each also with /tcp or /udp. Host port 0 is any free one.
func ParsePort(text string) (Port, error) {
	port := Port{HostIP: loopback, Protocol: sdk.TCP}
	rest := text
	if before, protocol, ok := strings.Cut(text, "/"); ok {
		rest, port.Protocol = before, sdk.Protocol(strings.ToLower(protocol))
		if port.Protocol != sdk.TCP && port.Protocol != sdk.UDP {
			return Port{}, fmt.Errorf("port %q: the protocol must be tcp or udp", text)
		}
	}
	address, numbers, err := cutAddress(rest)
	if err != nil {
		return Port{}, fmt.Errorf("port %q: %w", text, err)
	}
	if address.IsValid() {
		port.HostIP = address.String()
	}
	host, container, both := strings.Cut(numbers, ":")
	if !both {
		host, container = numbers, numbers
	}
	if _, err := netip.ParseAddr(host); both && err == nil {
		return Port{}, fmt.Errorf("port %q: an address needs a host port and a container port after it", text)
	}
	if !both && address.IsValid() {
		return Port{}, fmt.Errorf("port %q: an address needs a host port and a container port after it", text)
	}
	if strings.Contains(strings.Trim(host, "-"), "-") || strings.Contains(strings.Trim(container, "-"), "-") {
		return Port{}, fmt.Errorf("port %q: ranges of ports are not supported yet", text)
	}
	if port.HostPort, err = portNumber(host, 0); err != nil && both {
		return Port{}, fmt.Errorf("port %q: host port %w", text, err)
	}
	if port.ContainerPort, err = portNumber(container, 1); err != nil {
		return Port{}, fmt.Errorf("port %q: container port %w", text, err)
	}
	return port, nil
}

// ParseListen reads a port that a process listens on: 8080, "0.0.0.0:8080",
// "[::1]:8080", each also with /tcp or /udp. Port 0 is any free one.
func ParseListen(text string) (Port, error) {
	numbers := text
	if before, _, ok := strings.Cut(text, "/"); ok {
		numbers = before
	}
	address, number, alone := "", numbers, true
	if at := strings.LastIndexByte(numbers, ':'); at >= 0 {
		address, number, alone = numbers[:at], numbers[at+1:], false
	}
	if _, err := strconv.Atoi(address); !alone && err == nil {
		return Port{}, fmt.Errorf("port %q: a process listens on this machine itself, so that there is only one number", text)
	}
	whole := number + ":1" // the grammar of published ports knows no free port on its own
	if !alone {
		whole = address + ":" + whole
	}
	port, err := ParsePort(whole + text[len(numbers):])
	if err != nil {
		return Port{}, fmt.Errorf("port %q: it must be a number from 0 to 65535, or an IP address and a number", text)
	}
	port.ContainerPort = port.HostPort
	return port, nil
}

// cutAddress splits off the host address, if there is one.
func cutAddress(text string) (netip.Addr, string, error) {
	if inner, ok := strings.CutPrefix(text, "["); ok {
		address, rest, closed := strings.Cut(inner, "]:")
		parsed, err := netip.ParseAddr(address)
		if !closed || err != nil || !parsed.Is6() {
			return netip.Addr{}, "", fmt.Errorf("the address must be an IPv6 address in brackets, such as [::1]")
		}
		return parsed, rest, nil
	}
	switch strings.Count(text, ":") {
	case 0, 1:
		return netip.Addr{}, text, nil
	case 2:
		address, rest, _ := strings.Cut(text, ":")
		parsed, err := netip.ParseAddr(address)
		if err != nil {
			return netip.Addr{}, "", fmt.Errorf("%q is not an IP address", address)
		}
		return parsed, rest, nil
	}
	return netip.Addr{}, "", fmt.Errorf("too many colons; put an IPv6 address in brackets")
}

func portNumber(text string, least int) (uint16, error) {
	number, err := strconv.ParseUint(text, 10, 16)
	if err != nil || int(number) < least || text[0] == '+' {
		return 0, fmt.Errorf("%q must be a number from %d to 65535", text, least)
	}
	return uint16(number), nil
}
