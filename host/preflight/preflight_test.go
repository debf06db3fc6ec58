package preflight

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/lightshuttle/lightshuttle/host/plan"
	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/fake"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// engine is a runtime that has given away ports.
type engine struct {
	*fake.Runtime
	published []sdk.PublishedPort
}

func (e engine) PublishedPorts(context.Context) ([]sdk.PublishedPort, error) { return e.published, nil }

func ports(t *testing.T, published ...sdk.PublishedPort) *Ports {
	t.Helper()
	p, err := LookAtPorts(t.Context(), engine{fake.New(nil), published}, "shop")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func tcp(port uint16) sdk.PortBinding {
	return sdk.PortBinding{HostIP: "127.0.0.1", HostPort: port, ContainerPort: 80, Protocol: sdk.TCP}
}

func TestHolderNamesTheProcess(t *testing.T) {
	listening, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listening.Close()
	port := uint16(listening.Addr().(*net.TCPAddr).Port)
	if got, want := ports(t).Holder(tcp(port)), fmt.Sprintf("(pid %d)", os.Getpid()); !strings.Contains(got, want) {
		t.Errorf("Holder() = %q, want it to contain %q", got, want)
	}
}

func TestHolderOfAUDPPort(t *testing.T) {
	listening, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listening.Close()
	wanted := tcp(uint16(listening.LocalAddr().(*net.UDPAddr).Port))
	wanted.Protocol = sdk.UDP
	if got := ports(t).Holder(wanted); !strings.Contains(got, "pid") {
		t.Errorf("Holder() = %q, want a process", got)
	}
}

func TestHolderKnowsWhatTheEngineHasGivenAway(t *testing.T) {
	free, err := ports(t).Free()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name      string
		published sdk.PublishedPort
		want      string
	}{
		{"a foreign container", sdk.PublishedPort{PortBinding: tcp(free), Container: "web"}, "container web"},
		{"another project", sdk.PublishedPort{PortBinding: tcp(free), Container: "other.web", Project: "other"}, "container other.web of project other"},
		{"this project", sdk.PublishedPort{PortBinding: tcp(free), Container: "shop.web", Project: "shop"}, ""},
		{"all addresses", sdk.PublishedPort{PortBinding: sdk.PortBinding{HostIP: "0.0.0.0", HostPort: free, Protocol: sdk.TCP}, Container: "web"}, "container web"},
		{"another address", sdk.PublishedPort{PortBinding: sdk.PortBinding{HostIP: "127.0.0.2", HostPort: free, Protocol: sdk.TCP}, Container: "web"}, ""},
		{"another protocol", sdk.PublishedPort{PortBinding: sdk.PortBinding{HostIP: "127.0.0.1", HostPort: free, Protocol: sdk.UDP}, Container: "web"}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := ports(t, test.published).Holder(tcp(free)); got != test.want {
				t.Errorf("Holder() = %q, want %q", got, test.want)
			}
		})
	}
}

func TestCheckFindsEverythingAtOnce(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	spec := func(name string, change func(*sdk.Spec)) plan.Step {
		s := &sdk.Spec{Resource: name, Image: "image:1"}
		change(s)
		return plan.Step{Resource: name, Action: plan.Create, Spec: s}
	}
	build := func(context, dockerfile string) func(*sdk.Spec) {
		return func(s *sdk.Spec) { s.Build = &sdk.Build{Context: context, Dockerfile: dockerfile} }
	}
	p := &plan.Plan{Steps: []plan.Step{
		spec("a", build(filepath.Join(dir, "missing"), "")),
		spec("b", build(file, "")),
		spec("c", build(dir, filepath.Join(dir, "Dockerfile"))),
		spec("d", func(s *sdk.Spec) { s.Ports = []sdk.PortBinding{tcp(8080), {HostPort: 0}} }),
		spec("e", func(*sdk.Spec) {}),
		{Resource: "f", Action: plan.Keep, Spec: &sdk.Spec{Build: &sdk.Build{Context: "/nowhere"}}},
		{Resource: "g", Action: plan.Remove},
	}}
	taken := ports(t, sdk.PublishedPort{PortBinding: tcp(8080), Container: "web"})
	err := Check(t.Context(), p, fake.New(nil), func() (*Ports, error) { return taken, nil })
	if err == nil {
		t.Fatal("Check() finds nothing")
	}
	for _, want := range []string{
		"a: build: there is no folder", "b: build: " + file + " is not a folder", "c: build: there is no Dockerfile in " + dir,
		"d: port 8080 on 127.0.0.1 is in use by container web",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("Check() = %v\nwant it to contain %q", err, want)
		}
	}
	for _, name := range []string{"e:", "f:", "g:"} {
		if strings.Contains(err.Error(), "\n"+name) {
			t.Errorf("Check() complains about %s %v", name, err)
		}
	}
}

// noLook is for plans that publish no port that was chosen.
func noLook(t *testing.T) func() (*Ports, error) {
	return func() (*Ports, error) {
		t.Error("it looks at ports that nobody needs")
		return &Ports{}, nil
	}
}

// L19: a stack that runs is brought up again without a look at ports.
func TestL19CheckLooksAtPortsOnlyForNewContainers(t *testing.T) {
	publishing := &sdk.Spec{Resource: "a", Image: "image:1", Ports: []sdk.PortBinding{tcp(8080)}}
	anyPort := &sdk.Spec{Resource: "b", Image: "image:1", Ports: []sdk.PortBinding{{ContainerPort: 80}}}
	p := &plan.Plan{Steps: []plan.Step{
		{Resource: "a", Action: plan.Keep, Spec: publishing},
		{Resource: "b", Action: plan.Create, Spec: anyPort},
		{Resource: "c", Action: plan.Remove},
	}}
	if err := Check(t.Context(), p, fake.New(nil), noLook(t)); err != nil {
		t.Error(err)
	}
	p.Steps[0].Action = plan.Recreate
	broken := errors.New("the engine is gone")
	if err := Check(t.Context(), p, fake.New(nil), func() (*Ports, error) { return nil, broken }); !errors.Is(err, broken) {
		t.Errorf("Check() = %v, want what the look failed with", err)
	}
}

// threeMethods is a runtime that can do what every runtime can, and no more.
type threeMethods struct{ sdk.Runtime }

func TestCheckRefusesWhatTheRuntimeCanNotDo(t *testing.T) {
	for want, change := range map[string]func(*sdk.Spec){
		"dockerfile":       func(s *sdk.Spec) { s.Build = &sdk.Build{Context: t.TempDir(), Dockerfile: "/dev/null"} },
		"healthcheck.http": func(s *sdk.Spec) { s.Healthcheck = &sdk.Healthcheck{HTTP: &sdk.HTTPCheck{Port: 1}} },
		"healthcheck.log":  func(s *sdk.Spec) { s.Healthcheck = &sdk.Healthcheck{Log: &sdk.LogCheck{Pattern: "x"}} },
	} {
		s := &sdk.Spec{Resource: "a"}
		change(s)
		p := &plan.Plan{Steps: []plan.Step{{Resource: "a", Action: plan.Create, Spec: s}}}
		err := Check(t.Context(), p, threeMethods{fake.New(nil)}, noLook(t))
		if !sdk.IsCode(err, sdk.CodeUnsupported) || !strings.Contains(err.Error(), want) {
			t.Errorf("Check() = %v, want %s unsupported", err, want)
		}
	}
}
