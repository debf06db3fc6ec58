package mixed

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"testing"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/fake"
)

// engine is a runtime of containers that knows its gateway.
type engine struct {
	*fake.Runtime
	gateway netip.Prefix
	err     error
	hosts   []string
}

func (e *engine) Gateway(context.Context, string) (netip.Prefix, error) { return e.gateway, e.err }

func (e *engine) Start(ctx context.Context, spec sdk.Spec) (string, error) {
	e.hosts = spec.ExtraHosts
	return e.Runtime.Start(ctx, spec)
}

// machine is a runtime of processes.
type machine struct {
	*processes
	gates []netip.Prefix
	err   error
}

func (m *machine) OpenGates(_ context.Context, _ string, gateways []netip.Prefix) error {
	m.gates = gateways
	return m.err
}

// processes hides what the fake has and a runtime of processes hasn't.
type processes struct{ *fake.Runtime }

// EnsureNetwork has another signature than that of sdk.Networker.
func (p *processes) EnsureNetwork() {}

func stackOf(t *testing.T, engines ...*engine) (*Runtime, *machine) {
	t.Helper()
	here := &machine{processes: &processes{fake.New(nil)}}
	members := []Member{{"process", here}}
	for i, one := range engines {
		one.Runtime = fake.New(nil)
		members = append(members, Member{[]string{"first", "second"}[i], one})
	}
	r, err := New(members...)
	if err != nil {
		t.Fatal(err)
	}
	return r, here
}

func reachedProcess() sdk.Spec {
	s := spec("api", "process")
	s.Network = "net"
	return s
}

func reachingContainer() sdk.Spec {
	s := spec("web", "first")
	s.Network, s.ExtraHosts = "net", []string{"machine:host-gateway", "other:203.0.113.7"}
	return s
}

var (
	gateway = netip.MustParsePrefix("172.18.0.1/16")
	another = netip.MustParsePrefix("10.4.0.1/24")
)

func TestContainersReachProcessesAtTheirGateway(t *testing.T) {
	one, other := &engine{gateway: gateway}, &engine{gateway: another}
	r, here := stackOf(t, one, other)
	if _, err := r.Start(t.Context(), reachedProcess()); err != nil {
		t.Fatal(err)
	}
	if want := []netip.Prefix{gateway, another}; !slices.Equal(here.gates, want) {
		t.Errorf("gates are open at %v, want %v", here.gates, want)
	}
	// The network may be another one by the time a container is started.
	one.gateway = netip.MustParsePrefix("172.19.0.1/16")
	if _, err := r.Start(t.Context(), reachingContainer()); err != nil {
		t.Fatal(err)
	}
	if want := []netip.Prefix{one.gateway, another}; !slices.Equal(here.gates, want) {
		t.Errorf("gates are open at %v, want %v", here.gates, want)
	}
	if want := []string{"machine:172.19.0.1", "other:203.0.113.7"}; !slices.Equal(one.hosts, want) {
		t.Errorf("the container has the hosts %v, want %v", one.hosts, want)
	}
}

// Where containers run in a machine of their own, its engine leads them here.
func TestAnEngineThatKnowsTheWayIsLeftToIt(t *testing.T) {
	one := &engine{}
	r, here := stackOf(t, one)
	for _, s := range []sdk.Spec{reachedProcess(), reachingContainer()} {
		if _, err := r.Start(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	if len(here.gates) > 0 || one.hosts[0] != "machine:host-gateway" {
		t.Errorf("gates %v, hosts %v", here.gates, one.hosts)
	}
}

// A process that containers can't reach is refused, with the way out.
func TestAProcessOutOfReachIsRefused(t *testing.T) {
	r, here := stackOf(t, &engine{err: &sdk.Error{Code: sdk.CodeUnsupported, Err: errors.New("rootless"), Hint: "listen on all addresses"}})
	_, err := r.Start(t.Context(), reachedProcess())
	if e, ok := errors.AsType[*sdk.Error](err); !ok || e.Code != sdk.CodeUnsupported || e.Resource != "api" || e.Hint == "" {
		t.Errorf("Start() = %v", err)
	}
	if left := here.Left(); len(left) > 0 {
		t.Errorf("it left %v", left)
	}
	bare, err := New(Member{"process", here}, Member{"wasm", fake.New(nil)})
	if err != nil {
		t.Fatal(err)
	}
	if err := bare.Validate(t.Context(), reachedProcess()); !sdk.IsCode(err, sdk.CodeUnsupported) {
		t.Errorf("Validate() with an engine that tells no gateway = %v", err)
	}
}

// A start that can't open the gates has left nothing.
func TestAProcessWithoutItsGatesIsRemoved(t *testing.T) {
	r, here := stackOf(t, &engine{gateway: gateway})
	here.err = errors.New("no gate")
	if _, err := r.Start(t.Context(), reachedProcess()); err == nil {
		t.Error("Start() succeeded")
	}
	if left := here.Left(); len(left) > 0 {
		t.Errorf("it left %v", left)
	}
}
