package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/probe"
)

const (
	// directTimeout bounds the attempt to reach a container at its own address,
	// which never answers where the engine runs in a virtual machine.
	directTimeout = 250 * time.Millisecond
	// holdTime is how long a connection to a published port must stay open to
	// count: an engine's port proxy accepts at once, and hangs up when nothing
	// listens behind it.
	holdTime = 50 * time.Millisecond
	// bodyLimit is how much of an HTTP answer is kept to explain a failure.
	bodyLimit = 512
)

// Network waits until the HTTP or TCP check of a container passes. Its address
// is the container's own where the host can reach it, else that of the
// published port. It fails as sdk/probe.Until does, and with sdk.CodeExited
// when the container ends.
func Network(ctx context.Context, runtime sdk.Inspector, id string, check sdk.Healthcheck) error {
	p := &prober{runtime: runtime, id: id}
	attempt := p.tcp
	port := uint16(0)
	switch {
	case check.HTTP != nil:
		port = check.HTTP.Port
		attempt = func(ctx context.Context, target target) probe.Result { return httpGet(ctx, target, *check.HTTP) }
	case check.TCP != nil:
		port = check.TCP.Port
	default:
		return sdk.Errorf(sdk.CodeInternal, "healthcheck", "neither an HTTP nor a TCP check")
	}
	return probe.Until(ctx, check, func(ctx context.Context) (probe.Result, error) {
		return p.attempt(ctx, port, attempt)
	})
}

// prober remembers between attempts where the container was reached.
type prober struct {
	runtime sdk.Inspector
	id      string
	targets []target
}

// target is a place where the container's port may be reached.
type target struct {
	address string
	// direct says that nothing stands between it and the container.
	direct bool
}

func (p *prober) attempt(ctx context.Context, port uint16, try func(context.Context, target) probe.Result) (probe.Result, error) {
	if err := p.look(ctx, port); err != nil {
		return probe.Result{}, err
	}
	if len(p.targets) == 0 {
		return probe.Result{Output: fmt.Sprintf("port %d has no address yet: the container has none, and it isn't published", port)}, nil
	}
	var last probe.Result
	for _, target := range p.targets {
		last = try(ctx, target)
		if last.Passed {
			return last, nil
		}
	}
	return last, nil
}

// look finds the container's addresses, and whether it still runs. It costs
// less than a millisecond, and saves waiting for a container that has ended.
func (p *prober) look(ctx context.Context, port uint16) error {
	state, err := p.runtime.Inspect(ctx, p.id)
	if err != nil {
		return err
	}
	if state.Ended() {
		exited := sdk.Errorf(sdk.CodeExited, "", "it ended before it was ready")
		if state.ExitCode != nil {
			exited = sdk.Errorf(sdk.CodeExited, "", "exited with code %d before it was ready", *state.ExitCode)
			exited.ExitCode = *state.ExitCode
		}
		return exited
	}
	number := strconv.Itoa(int(port))
	p.targets = p.targets[:0]
	for _, address := range state.Addresses {
		p.targets = append(p.targets, target{net.JoinHostPort(address, number), true})
	}
	for _, published := range state.Ports {
		if published.ContainerPort == port && published.Protocol != sdk.UDP && published.HostPort != 0 {
			p.targets = append(p.targets, target{net.JoinHostPort(reachable(published.HostIP), strconv.Itoa(int(published.HostPort))), false})
		}
	}
	return nil
}

// reachable turns the address that a port is bound to into one to connect to.
func reachable(hostIP string) string {
	switch hostIP {
	case "", "0.0.0.0":
		return "127.0.0.1"
	case "::":
		return "::1"
	}
	return hostIP
}

func (p *prober) tcp(ctx context.Context, target target) probe.Result {
	connection, err := dial(ctx, target)
	if err != nil {
		return probe.Result{Output: err.Error()}
	}
	defer connection.Close()
	if target.direct {
		return probe.Result{Passed: true}
	}
	// Silence is what a server that waits for its client does.
	_ = connection.SetReadDeadline(time.Now().Add(holdTime))
	_, err = connection.Read(make([]byte, 1))
	if err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		return probe.Result{Passed: true}
	}
	return probe.Result{Output: fmt.Sprintf("%s accepted and hung up: nothing listens behind the published port yet", target.address)}
}

func dial(ctx context.Context, target target) (net.Conn, error) {
	if target.direct {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, directTimeout)
		defer cancel()
	}
	var dialer net.Dialer
	connection, err := dialer.DialContext(ctx, "tcp", target.address)
	if errors.Is(err, syscall.ECONNREFUSED) {
		return nil, fmt.Errorf("%s: connection refused", target.address)
	}
	return connection, err
}

func httpGet(ctx context.Context, target target, check sdk.HTTPCheck) probe.Result {
	path := check.Path
	if path == "" || path[0] != '/' {
		path = "/" + path
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+target.address+path, nil)
	if err != nil {
		return probe.Result{Output: err.Error()}
	}
	for name, value := range check.Headers {
		request.Header.Set(name, value)
		if http.CanonicalHeaderKey(name) == "Host" {
			request.Host = value
		}
	}
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx, target) },
	}
	// A redirect is an answer: following it could leave the container.
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		return probe.Result{Output: err.Error()}
	}
	defer response.Body.Close()
	if expected(check, response.StatusCode) {
		return probe.Result{Passed: true}
	}
	body, _ := io.ReadAll(io.LimitReader(response.Body, bodyLimit))
	return probe.Result{Output: fmt.Sprintf("GET %s: %s\n%s", path, response.Status, body)}
}

func expected(check sdk.HTTPCheck, status int) bool {
	if check.Status != 0 {
		return status == check.Status
	}
	return status >= 200 && status < 400
}
