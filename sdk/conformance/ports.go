package conformance

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// published returns the binding of a container's port as its state has it.
func (s *stage) published(id string, port uint16, protocol sdk.Protocol) sdk.PortBinding {
	state := s.inspect(id)
	at := slices.IndexFunc(state.Ports, func(b sdk.PortBinding) bool { return b.ContainerPort == port && b.Protocol == protocol })
	if at < 0 {
		s.fail("the state has no binding of the port %d/%s: %+v", port, protocol, state.Ports)
	}
	return state.Ports[at]
}

func (s *stage) address(hostPort uint16) string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(int(hostPort)))
}

// answers gets the published server's answer, once it gives one.
func (s *stage) answers(hostPort uint16, want string) {
	client := http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DialContext: s.Dial, DisableKeepAlives: true}}
	s.until("the published port "+s.address(hostPort)+" answers", func() bool {
		request, err := http.NewRequestWithContext(s.ctx, http.MethodGet, "http://"+s.address(hostPort)+"/", nil)
		s.must("make a request", err)
		response, err := client.Do(request)
		if err != nil {
			return false
		}
		defer response.Body.Close()
		body, err := io.ReadAll(io.LimitReader(response.Body, 1000))
		if err == nil && string(body) != want {
			s.errorf("the server answers %q, wanted %q", body, want)
		}
		return err == nil
	})
}

var portChecks = []check{
	{
		name: "ports/fixed", level: Full, needs: []ability{inspector},
		promise: "a published port is reachable on its host port",
		run: func(s *stage) {
			binding := s.bindingTo(s.freePort())
			spec := s.spec("web", "serve", portText(binding.ContainerPort))
			spec.Ports, spec.Env = []sdk.PortBinding{binding}, map[string]string{"NAME": s.project}
			id := s.honoured(spec, "port")
			if got := s.published(id, binding.ContainerPort, sdk.TCP); got != binding {
				s.errorf("the state has the binding %+v, wanted %+v", got, binding)
			}
			s.answers(binding.HostPort, "ok "+s.project+"\n")
		},
	},
	{
		name: "ports/chosen", level: Full, needs: []ability{inspector, privateNets},
		promise: "a host port of 0 means any free port, which the state then tells",
		run: func(s *stage) {
			spec, port := s.served()
			id := s.honoured(spec, "port")
			got := s.published(id, port, sdk.TCP)
			if got.HostPort == 0 || got.HostIP != "127.0.0.1" {
				s.fail("the state has the binding %+v", got)
			}
			s.answers(got.HostPort, "ok \n")
		},
	},
	{
		name: "ports/loopback", level: Full, needs: []ability{inspector},
		promise: "a port that is published on 127.0.0.1 isn't reachable on the machine's other addresses",
		run: func(s *stage) {
			binding := s.bindingTo(s.freePort())
			spec := s.spec("web", "serve", portText(binding.ContainerPort))
			spec.Ports = []sdk.PortBinding{binding}
			s.honoured(spec, "port")
			s.answers(binding.HostPort, "ok \n")
			for _, address := range otherAddresses() {
				ctx, cancel := context.WithTimeout(s.ctx, time.Second)
				connection, err := s.Dial(ctx, "tcp", net.JoinHostPort(address, portText(binding.HostPort)))
				cancel()
				if err == nil {
					connection.Close()
					s.errorf("the port is reachable on %s", address)
				}
			}
		},
	},
	{
		name: "ports/udp", level: Full, needs: []ability{inspector},
		promise: "a UDP port is published, too",
		run: func(s *stage) {
			port := s.port()
			spec := s.spec("echo", "udp", portText(port))
			spec.Ports = []sdk.PortBinding{s.binding(port, sdk.UDP)}
			id := s.honoured(spec, "port", "udp")
			s.echoes(s.published(id, port, sdk.UDP).HostPort)
		},
	},
	{
		name: "ports/several", level: Full, needs: []ability{inspector, privateNets},
		promise: "one port of a container may be published on several host ports",
		run: func(s *stage) {
			spec := s.spec("web", "serve")
			spec.Ports = []sdk.PortBinding{s.bindingTo(s.freePort()), s.binding(defaultPort, sdk.TCP)}
			id := s.honoured(spec, "port")
			if state := s.inspect(id); len(state.Ports) != 2 {
				s.fail("the state has the bindings %+v, wanted 2", state.Ports)
			}
			for _, binding := range s.inspect(id).Ports {
				s.answers(binding.HostPort, "ok \n")
			}
		},
	},
	{
		name: "ports/free-again", level: Full, needs: []ability{remover},
		promise: "a host port is free again when its container was removed",
		run: func(s *stage) {
			binding := s.bindingTo(s.freePort())
			for i := range 2 {
				spec := s.spec(fmt.Sprintf("web%d", i), "serve", portText(binding.ContainerPort))
				spec.Ports = []sdk.PortBinding{binding}
				id := s.honoured(spec, "port")
				s.must("remove", s.remove(s.ctx, id))
			}
		},
	},
	{
		name: "ports/found", level: Full, needs: []ability{portFinder, inspector},
		promise: "PublishedPorts returns every published host port with the container that holds it and its project",
		run: func(s *stage) {
			spec, port := s.served()
			id := s.honoured(spec, "port")
			want := sdk.PublishedPort{PortBinding: s.published(id, port, sdk.TCP), Container: spec.Name, Project: s.project}
			ports, err := s.Runtime.(sdk.PortFinder).PublishedPorts(s.ctx)
			s.must("published ports", err)
			if !slices.Contains(ports, want) {
				s.errorf("%+v isn't among %+v", want, ports)
			}
			s.end(id)
			ports, err = s.Runtime.(sdk.PortFinder).PublishedPorts(s.ctx)
			s.must("published ports", err)
			if slices.Contains(ports, want) {
				s.errorf("%+v is there after its container has gone", want)
			}
		},
	},
}

// otherAddresses are those of this machine that aren't loopback.
func otherAddresses() []string {
	var others []string
	addresses, _ := net.InterfaceAddrs()
	for _, address := range addresses {
		network, ok := address.(*net.IPNet)
		if ok && !network.IP.IsLoopback() && network.IP.To4() != nil && len(others) < 3 {
			others = append(others, network.IP.String())
		}
	}
	return others
}

// echoes sends datagrams until one comes back.
func (s *stage) echoes(hostPort uint16) {
	s.until("the published UDP port answers", func() bool {
		connection, err := s.Dial(s.ctx, "udp", s.address(hostPort))
		if err != nil {
			return false
		}
		defer connection.Close()
		if err := connection.SetDeadline(time.Now().Add(500 * time.Millisecond)); err != nil {
			return false
		}
		if _, err := connection.Write([]byte("ping")); err != nil {
			return false
		}
		answer := make([]byte, 16)
		n, err := connection.Read(answer)
		return err == nil && bytes.Equal(answer[:n], []byte("ping"))
	})
}
