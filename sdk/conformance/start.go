package conformance

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

var startChecks = []check{
	{
		name: "start/runs", level: Core,
		promise: "Start creates and starts the container and returns its id",
		run: func(s *stage) {
			id := s.start(s.spec("web", "wait"))
			state, err := s.Runtime.WaitHealthy(s.ctx, id, nil)
			s.must("wait for it", err)
			if state.Status != sdk.StatusRunning || state.ID != id {
				s.errorf("the container is %s with the id %q, wanted it running with the id %q", state.Status, state.ID, id)
			}
		},
	},
	{
		name: "start/together", level: Core,
		promise: "containers may be started at the same time, and each has an id of its own",
		run:     startTogether,
	},
	{
		name: "start/again", level: Core, needs: []ability{remover},
		promise: "a name is free again when its container has been removed",
		run: func(s *stage) {
			for range 2 {
				id := s.start(s.spec("web", "wait"))
				s.must("remove", s.remove(s.ctx, id))
			}
		},
	},
	{
		name: "start/name-taken", level: Core,
		promise: "a name that a container of the project has is refused with conflict, and its holder left alone",
		run: func(s *stage) {
			spec := s.spec("web", "wait")
			id := s.start(spec)
			_, err := s.begin(s.ctx, spec)
			s.wantCode("start it again", err, sdk.CodeConflict)
			s.wantResource(err, spec)
			s.stillRuns(id)
		},
	},
	{
		name: "start/name-foreign", level: Core,
		promise: "a name that somebody else's container has is refused with conflict, and that container left alone",
		run: func(s *stage) {
			foreign := s.spec("web", "wait")
			foreign.Project += "x"
			foreign.Labels[sdk.LabelProject] = foreign.Project
			id := s.start(foreign)
			_, err := s.begin(s.ctx, s.spec("web", "wait"))
			s.wantCode("start one of a name that is taken", err, sdk.CodeConflict)
			s.stillRuns(id)
		},
	},
	{
		name: "start/name-race", level: Core,
		promise: "of those who start a container of one name at the same time, exactly one succeeds",
		run: func(s *stage) {
			spec := s.spec("web", "wait")
			s.must("prepare", s.prepare(spec))
			errs := together(4, func(int) error {
				_, err := s.begin(s.ctx, spec)
				return err
			})
			won := 0
			for _, err := range errs {
				if err == nil {
					won++
					continue
				}
				s.wantCode("start one of a name that is taken", err, sdk.CodeConflict)
			}
			if won != 1 {
				s.errorf("%d of the starts succeeded, wanted 1", won)
			}
			if l, ok := s.Runtime.(sdk.Lister); ok {
				states, err := l.List(s.ctx, s.project)
				s.must("list", err)
				if len(states) != 1 {
					s.errorf("there are %d containers, wanted 1", len(states))
				}
			}
		},
	},
	{
		name: "start/no-image", level: Core, needs: []ability{images},
		promise: "an image that can't be had is refused with image_not_found (or unavailable, where its registry is), and nothing is left",
		run: func(s *stage) {
			spec := s.spec("web", "wait")
			spec.Image = s.AbsentImage
			_, err := s.begin(s.ctx, spec)
			s.failedStart(spec, err, sdk.CodeImageNotFound, sdk.CodeUnavailable)
		},
	},
	{
		name: "start/no-image-never", level: Core, needs: []ability{images},
		promise: "an image that isn't there and is never to be pulled is refused with image_not_found, and nothing is left",
		run: func(s *stage) {
			spec := s.spec("web", "wait")
			spec.Image, spec.Pull = s.AbsentImage, sdk.PullNever
			_, err := s.begin(s.ctx, spec)
			s.failedStart(spec, err, sdk.CodeImageNotFound)
		},
	},
	{
		name: "start/no-program", level: Core,
		promise: "a program that isn't there is refused with invalid or not_found, and nothing is left",
		run: func(s *stage) {
			spec := s.spec("web", "wait")
			spec.Entrypoint, spec.Command = []string{"/no/such/program"}, nil
			_, err := s.try(s.ctx, spec)
			s.failedStart(spec, err, sdk.CodeInvalid, sdk.CodeNotFound)
		},
	},
	{
		name: "start/port-of-container", level: Full,
		promise: "a port that another container holds is refused with port_in_use, and nothing is left",
		run: func(s *stage) {
			port := s.bindingTo(s.freePort())
			holder := s.spec("holder", "serve", fmt.Sprint(port.ContainerPort))
			holder.Ports = []sdk.PortBinding{port}
			held := s.honoured(holder, "port")
			_, err := s.Runtime.WaitHealthy(s.ctx, held, nil)
			s.must("wait for the holder", err)
			if s.HostNetwork {
				s.awaitLine(held, "ready")
			}
			s.portTaken(holder.Ports[0])
			s.stillRuns(held)
		},
	},
	{
		name: "start/port-of-program", level: Full,
		promise: "a port that another program listens on is refused with port_in_use, and nothing is left",
		run: func(s *stage) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			s.must("listen", err)
			defer func() { _ = listener.Close() }()
			s.portTaken(s.bindingTo(uint16(listener.Addr().(*net.TCPAddr).Port)))
		},
	},
}

func startTogether(s *stage) {
	const n = 8
	s.must("prepare", s.prepare(s.spec("web", "wait")))
	var mu sync.Mutex
	ids := map[string]bool{}
	s.allMust("start", together(n, func(i int) error {
		id, err := s.begin(s.ctx, s.spec(fmt.Sprintf("web%d", i), "wait"))
		mu.Lock()
		defer mu.Unlock()
		ids[id] = true
		return err
	}))
	if len(ids) != n {
		s.fail("%d containers have %d ids", n, len(ids))
	}
	for id := range ids {
		if _, err := s.Runtime.WaitHealthy(s.ctx, id, nil); err != nil {
			s.errorf("wait for one of them: %s", describe(err))
		}
	}
}

// bindingTo publishes a workload's port on this very port of the host.
func (s *stage) bindingTo(hostPort uint16) sdk.PortBinding {
	b := sdk.PortBinding{HostIP: "127.0.0.1", HostPort: hostPort, ContainerPort: defaultPort, Protocol: sdk.TCP}
	if s.HostNetwork {
		b.ContainerPort = hostPort
	}
	return b
}

// portTaken starts a container on a port that somebody has.
func (s *stage) portTaken(taken sdk.PortBinding) {
	spec := s.spec("late", "serve", fmt.Sprint(taken.ContainerPort))
	spec.Ports = []sdk.PortBinding{taken}
	_, err := s.try(s.ctx, spec)
	if sdk.IsCode(err, sdk.CodeUnsupported) {
		s.refused("start", spec, err, "port")
	}
	s.failedStart(spec, err, sdk.CodePortInUse)
	if err != nil && !strings.Contains(err.Error(), fmt.Sprint(taken.HostPort)) {
		s.errorf("the error %q doesn't name the port %d", err, taken.HostPort)
	}
}

// failedStart checks what a start that had to fail has said and left.
func (s *stage) failedStart(spec sdk.Spec, err error, codes ...sdk.Code) {
	s.wantCode("start it", err, codes...)
	s.wantResource(err, spec)
	if slices.Contains(s.left(), "container "+spec.Name) {
		s.errorf("the start failed, and yet there is a container %s", spec.Name)
	}
}

// wantResource checks that an error names the resource that it is about.
func (s *stage) wantResource(err error, spec sdk.Spec) {
	if e, ok := errors.AsType[*sdk.Error](err); ok && e.Resource != "" && e.Resource != spec.Resource {
		s.errorf("the error is about the resource %q, wanted %q", e.Resource, spec.Resource)
	}
}

// stillRuns checks that a container was left alone.
func (s *stage) stillRuns(id string) {
	state, err := s.Runtime.WaitHealthy(s.ctx, id, nil)
	if err != nil || state.Status != sdk.StatusRunning {
		s.errorf("the container that was there first is %s now: %v", state.Status, err)
	}
}

// tookAtLeast runs op and notes a problem if it was quicker than that.
func (s *stage) tookAtLeast(doing string, least time.Duration, op func()) {
	began := time.Now()
	op()
	if took := time.Since(began); took < least {
		s.errorf("%s: took %s, wanted at least %s", doing, took, least)
	}
}
