package process

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// The gateways of these tests are further addresses of the loopback interface.
// What connects to them comes from 127.0.0.1.
var (
	near = netip.MustParsePrefix("127.1.2.3/8")
	next = netip.MustParsePrefix("127.1.2.4/8")
	far  = netip.MustParsePrefix("127.1.2.5/24")
)

// echo is a process with a network, which gives back what it gets. It says that
// it listens on the loopback address, and does so on one of all addresses.
func echo(t *testing.T, address string) sdk.Spec {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).AddrPort().Port()
	_ = listener.Close()
	spec := role("echo", "echo", net.JoinHostPort(address, strconv.Itoa(int(port))))
	spec.Network = "shop"
	spec.Ports = []sdk.PortBinding{{HostIP: "127.0.0.1", HostPort: port, ContainerPort: port, Protocol: sdk.TCP}}
	return spec
}

// echoed says what comes back of a word through a gate.
func echoed(gateway netip.Prefix, spec sdk.Spec) (string, error) {
	conn, err := net.Dial("tcp", netip.AddrPortFrom(gateway.Addr(), spec.Ports[0].HostPort).String())
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("hello")); err != nil {
		return "", err
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		return "", err
	}
	back, err := io.ReadAll(conn)
	return string(back), err
}

func wantOpen(t *testing.T, gateway netip.Prefix, spec sdk.Spec) {
	t.Helper()
	if got, err := echoed(gateway, spec); got != "hello" || err != nil {
		t.Errorf("through the gate at %s came %q, %v", gateway, got, err)
	}
}

func wantRefused(t *testing.T, gateway netip.Prefix, spec sdk.Spec, want syscall.Errno) {
	t.Helper()
	if got, err := echoed(gateway, spec); !errors.Is(err, want) {
		t.Errorf("through the gate at %s came %q, %v; want %v", gateway, got, err, want)
	}
}

func openGates(t *testing.T, r *Runtime, gateways ...netip.Prefix) {
	t.Helper()
	if err := r.OpenGates(t.Context(), "shop", gateways); err != nil {
		t.Fatal(err)
	}
}

func TestContainersAreLedToWhatListensOnLoopback(t *testing.T) {
	r := open(t)
	spec := echo(t, "127.0.0.1")
	id := start(t, r, spec)
	ready(t, r, id)
	openGates(t, r, near, far)
	wantOpen(t, near, spec)
	wantRefused(t, far, spec, unix.ECONNRESET) // 127.0.0.1 isn't of that network
	openGates(t, r, next)
	wantOpen(t, next, spec)
	wantRefused(t, near, spec, unix.ECONNREFUSED)
	if err := r.Stop(t.Context(), id, 0); err != nil {
		t.Fatal(err)
	}
	wantRefused(t, next, spec, unix.ECONNREFUSED)
}

// What isn't meant for containers is led to by nobody.
func TestNoGateToAProcessWithoutANetwork(t *testing.T) {
	r := open(t)
	spec := echo(t, "127.0.0.1")
	spec.Network = ""
	ready(t, r, start(t, r, spec))
	openGates(t, r, near)
	wantRefused(t, near, spec, unix.ECONNREFUSED)
}

// Gates hold for what is started later, and open when it listens.
func TestGatesOpenForWhatIsStartedLater(t *testing.T) {
	r := open(t)
	start(t, r, shell("keeper", "sleep 1000"))
	openGates(t, r, near)
	spec := echo(t, "127.0.0.1")
	ready(t, r, start(t, r, spec))
	waitFor(t, "the gate", func() bool {
		got, err := echoed(near, spec)
		return got == "hello" && err == nil
	})
}

// A process that listens on all addresses isn't robbed of one of them, also when
// the supervisor starts it again.
func TestGatesLeaveRoomForWhatListensOnAllAddresses(t *testing.T) {
	r := open(t)
	spec := echo(t, "0.0.0.0")
	spec.Restart = sdk.RestartPolicy{Mode: sdk.RestartAlways}
	id := start(t, r, spec)
	openGates(t, r, near)
	for range 2 {
		pid := leaderOf(t, r, id).PID
		waitFor(t, "the process", func() bool {
			got, err := echoed(near, spec)
			return got == "hello" && err == nil
		})
		if err := unix.Kill(pid, unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
		waitFor(t, "the restart", func() bool {
			state := inspect(t, r, id)
			return state.Restarts > 0 && leaderOf(t, r, id).PID != pid
		})
	}
	if state := inspect(t, r, id); state.Ended() {
		t.Errorf("its state is %+v", state)
	}
}

// A gate opens ahead of its network: podman has that come up with the first
// container.
func TestAGateOpensBeforeItsNetworkIsUp(t *testing.T) {
	r := open(t)
	spec := echo(t, "127.0.0.1")
	ready(t, r, start(t, r, spec))
	openGates(t, r, netip.MustParsePrefix("203.0.113.1/24")) // an address of nobody
}

func TestOpenGatesWithoutProcesses(t *testing.T) {
	openGates(t, open(t), near)
}
