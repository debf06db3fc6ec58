package conformance

import (
	"context"
	"fmt"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// net is the project's network, which the check cleans up.
func (s *stage) net(name string) sdk.Network {
	network := sdk.Network{Name: name, Project: s.project, Labels: map[string]string{"conformance.network": "yes"}}
	s.networks = append(s.networks, network)
	return network
}

func (s *stage) ensureNetwork(network sdk.Network) bool {
	created, err := s.Runtime.(sdk.Networker).EnsureNetwork(s.ctx, network)
	s.must("ensure the network", err)
	return created
}

// attempts is how many clients look for a name. aardvark-dns 1.4, podman's name
// server, misses a change that comes while it takes in another one, and knows of
// it with the next: that of another container's start.
const attempts = 3

// reaches fails unless a workload on the network gets a URL.
func (s *stage) reaches(network, resource, url string) {
	var said string
	for i := range attempts {
		id, code := s.client(network, fmt.Sprintf("%s-%d", resource, i), "reach", url)
		if code == 0 {
			return
		}
		said = fmt.Sprintf("it ended with %d: %.400q", code, s.output(id).stderr())
	}
	s.fail("a container doesn't reach %s, %s", url, said)
}

// client runs a workload that gets a URL, once or until it reaches it.
func (s *stage) client(network, resource, behaviour, url string) (id string, exitCode int) {
	spec := s.spec(resource, behaviour, url)
	spec.Network = network
	id = s.honoured(spec, "network")
	state := s.ended(id)
	if state.ExitCode == nil {
		s.fail("the client has ended without an exit code")
	}
	return id, *state.ExitCode
}

// server runs a workload that serves on the network under an alias.
func (s *stage) server(network string) sdk.Spec {
	spec := s.spec("db", "serve")
	spec.Network, spec.Aliases = network, []string{"db", "database"}
	id := s.honoured(spec, "network", "alias")
	s.awaitLine(id, "ready")
	return spec
}

var networkChecks = []check{
	{
		name: "network/ensure", level: Managed, needs: []ability{networker},
		promise: "EnsureNetwork creates the network once, and says whether it did",
		run: func(s *stage) {
			network := s.net(s.project)
			if !s.ensureNetwork(network) {
				s.errorf("it says that the network was there")
			}
			if s.ensureNetwork(network) {
				s.errorf("it says that it created the network again")
			}
		},
	},
	{
		name: "network/together", level: Managed, needs: []ability{networker},
		promise: "of those who ensure a network at the same time, one creates it, and all succeed",
		run: func(s *stage) {
			network := s.net(s.project)
			made := make([]bool, 4)
			s.allMust("ensure the network", together(len(made), func(i int) error {
				var err error
				made[i], err = s.Runtime.(sdk.Networker).EnsureNetwork(s.ctx, network)
				return err
			}))
			n := 0
			for _, created := range made {
				if created {
					n++
				}
			}
			if n != 1 {
				s.errorf("%d of them say that they created it, wanted 1", n)
			}
		},
	},
	{
		name: "network/foreign", level: Managed, needs: []ability{networker},
		promise: "a network of that name which is another's is refused with conflict, and left alone",
		run: func(s *stage) {
			own := s.net(s.project)
			s.ensureNetwork(own)
			foreign := own
			foreign.Project += "x"
			_, err := s.Runtime.(sdk.Networker).EnsureNetwork(s.ctx, foreign)
			s.wantCode("ensure a network that is another project's", err, sdk.CodeConflict)
			s.wantCode("remove a network that is another project's", s.Runtime.(sdk.Networker).RemoveNetwork(s.ctx, foreign), sdk.CodeConflict)
			if s.ensureNetwork(own) {
				s.errorf("the network wasn't left alone")
			}
		},
	},
	{
		name: "network/remove", level: Managed, needs: []ability{networker},
		promise: "RemoveNetwork removes the network; that it is gone is a success",
		run: func(s *stage) {
			network := s.net(s.project)
			s.ensureNetwork(network)
			for range 2 {
				s.must("remove the network", s.Runtime.(sdk.Networker).RemoveNetwork(s.ctx, network))
			}
			if !s.ensureNetwork(network) {
				s.errorf("the network was still there")
			}
		},
	},
	{
		name: "network/aliases", level: Managed, needs: []ability{networker, inspector, logger},
		promise: "containers of a network find each other by their aliases",
		run: func(s *stage) {
			network := s.net(s.project).Name
			s.ensureNetwork(s.networks[0])
			spec := s.server(network)
			for i, alias := range spec.Aliases {
				s.reaches(network, fmt.Sprintf("client%d", i), "http://"+alias+":8080/")
			}
		},
	},
	{
		name: "network/alias-after-restart", level: Managed, needs: []ability{networker, inspector, logger, remover},
		promise: "a container that was recreated is found by its alias again, by those that went on running",
		run: func(s *stage) {
			network := s.net(s.project).Name
			s.ensureNetwork(s.networks[0])
			spec := s.server(network)
			s.end(s.ids[0])
			s.ids = s.ids[1:]
			s.server(network)
			s.reaches(network, "client", "http://"+spec.Aliases[0]+":8080/")
		},
	},
	{
		name: "network/private", level: Managed, needs: []ability{networker, inspector, logger},
		promise: "a network is the project's own: containers of another don't find its containers",
		run: func(s *stage) {
			network := s.net(s.project)
			other := s.net(s.project + "-other")
			s.ensureNetwork(network)
			s.ensureNetwork(other)
			s.server(network.Name)
			s.reaches(network.Name, "client", "http://db:8080/")
			if _, code := s.client(other.Name, "stranger", "get", "http://db:8080/"); code == 0 {
				s.errorf("a container of another network reaches the server")
			}
		},
	},
	{
		name: "network/unknown", level: Managed, needs: []ability{networker},
		promise: "a network that isn't there is refused, and nothing is left",
		run: func(s *stage) {
			spec := s.spec("web", "wait")
			spec.Network = s.project + "-never-was"
			_, err := s.try(s.ctx, spec)
			s.failedStart(spec, err, sdk.CodeNotFound, sdk.CodeInvalid)
		},
	},
	{
		name: "network/cancelled", level: Managed, needs: []ability{networker},
		promise: "EnsureNetwork ends at once when its context has ended, and creates nothing",
		run: func(s *stage) {
			network := s.net(s.project)
			s.soon("ensure the network", func(ctx context.Context) error {
				_, err := s.Runtime.(sdk.Networker).EnsureNetwork(ctx, network)
				return err
			}, nil)
			if !s.ensureNetwork(network) {
				s.errorf("the network was created")
			}
			s.soon("remove the network", func(ctx context.Context) error {
				return s.Runtime.(sdk.Networker).RemoveNetwork(ctx, network)
			}, nil)
		},
	},
}
