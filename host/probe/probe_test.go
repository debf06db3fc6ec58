package probe

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lightshuttle/lightshuttle/sdk"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// container is an Inspector of one container.
type container struct{ state func() sdk.State }

func (c container) Inspect(context.Context, string) (sdk.State, error) { return c.state(), nil }

// running is a container that can be reached at address, on its own or through
// a published port.
func running(address string, published bool) container {
	at := netip.MustParseAddrPort(address)
	state := sdk.State{Status: sdk.StatusRunning}
	if published {
		state.Ports = []sdk.PortBinding{{HostIP: "0.0.0.0", HostPort: at.Port(), ContainerPort: 8080, Protocol: sdk.TCP}}
	} else {
		state.Addresses = []string{at.Addr().String()}
	}
	return container{func() sdk.State { return state }}
}

func quick(check sdk.Healthcheck) sdk.Healthcheck {
	check.Interval = sdk.Duration(20 * time.Millisecond)
	check.StartInterval = sdk.Duration(time.Millisecond)
	check.Timeout = sdk.Duration(5 * time.Second)
	check.Retries = 3
	return check
}

func TestHTTP(t *testing.T) {
	var requests atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/later" && requests.Add(1) < 3:
			http.Error(w, "warming up", http.StatusServiceUnavailable)
		case r.URL.Path == "/missing":
			http.NotFound(w, r)
		case r.URL.Path == "/moved":
			http.Redirect(w, r, "/missing", http.StatusFound)
		case r.URL.Path == "/key" && r.Header.Get("X-Key") != "yes":
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	defer server.Close()
	address := server.Listener.Addr().String()
	port := netip.MustParseAddrPort(address).Port()
	tests := []struct {
		name  string
		check sdk.HTTPCheck
		want  string // part of the error's output; empty for a pass
	}{
		{"passes", sdk.HTTPCheck{}, ""},
		{"passes once it answers well", sdk.HTTPCheck{Path: "/later"}, ""},
		{"a redirect is an answer", sdk.HTTPCheck{Path: "/moved"}, ""},
		{"a status that was asked for", sdk.HTTPCheck{Path: "/missing", Status: 404}, ""},
		{"headers are sent", sdk.HTTPCheck{Path: "/key", Headers: map[string]string{"x-key": "yes"}}, ""},
		{"another status", sdk.HTTPCheck{Path: "/missing"}, "GET /missing: 404 Not Found"},
		{"not the status that was asked for", sdk.HTTPCheck{Status: 204}, "GET /: 200 OK"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.check.Port = port
			err := Network(t.Context(), running(address, false), "id", quick(sdk.Healthcheck{HTTP: &test.check}))
			checkOutcome(t, err, test.want)
		})
	}
}

func checkOutcome(t *testing.T, err error, want string) {
	t.Helper()
	if want == "" {
		if err != nil {
			t.Fatalf("Network() = %v", err)
		}
		return
	}
	e, ok := err.(*sdk.Error)
	if !ok || e.Code != sdk.CodeUnhealthy || !strings.Contains(e.Output, want) {
		t.Fatalf("Network() = %#v, want it unhealthy with %q", err, want)
	}
}

func TestTCP(t *testing.T) {
	silent := listen(t, func(c net.Conn) {
		// A server that waits for its client: it reads until the client leaves.
		_, _ = c.Read(make([]byte, 1))
	})
	proxy := listen(t, func(net.Conn) {}) // accepts and hangs up
	refusing := listen(t, func(net.Conn) {})
	refusing.Close()
	tests := []struct {
		name      string
		address   string
		published bool
		want      string
	}{
		{"a server at the container's address", silent.Addr().String(), false, ""},
		{"a server behind a published port", silent.Addr().String(), true, ""},
		{"a port proxy with nothing behind it", proxy.Addr().String(), true, "accepted and hung up"},
		{"nobody listens", refusing.Addr().String(), false, "connection refused"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			port := uint16(8080)
			if !test.published {
				port = netip.MustParseAddrPort(test.address).Port()
			}
			err := Network(t.Context(), running(test.address, test.published), "id", quick(sdk.Healthcheck{TCP: &sdk.TCPCheck{Port: port}}))
			checkOutcome(t, err, test.want)
		})
	}
}

func TestAContainerThatEndsIsNotWaitedFor(t *testing.T) {
	code := 3
	ended := container{func() sdk.State { return sdk.State{Status: sdk.StatusExited, ExitCode: &code} }}
	err := Network(t.Context(), ended, "id", sdk.Healthcheck{TCP: &sdk.TCPCheck{Port: 1}})
	if e, ok := err.(*sdk.Error); !ok || e.Code != sdk.CodeExited || e.ExitCode != 3 {
		t.Fatalf("Network() = %#v, want the exit with 3", err)
	}
}

func TestAPortWithoutAnAddress(t *testing.T) {
	nowhere := container{func() sdk.State { return sdk.State{Status: sdk.StatusRunning} }}
	err := Network(t.Context(), nowhere, "id", quick(sdk.Healthcheck{TCP: &sdk.TCPCheck{Port: 1}}))
	checkOutcome(t, err, "it isn't published")
}

// listen serves each connection with serve, then closes it.
func listen(t *testing.T, serve func(net.Conn)) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			serve(connection)
			connection.Close()
		}
	}()
	t.Cleanup(func() {
		listener.Close()
		<-done
	})
	return listener
}
