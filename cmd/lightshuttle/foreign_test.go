package main

import (
	"github.com/docker/docker/api/types/container"
	dockerimage "github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/network"
)

var inspectNetwork network.InspectOptions

// foreignContainer makes a container that isn't LightShuttle's.
func (s *testStack) foreignContainer(name string) (id string) {
	s.t.Helper()
	made, err := s.docker.ContainerCreate(s.context(), &container.Config{Image: image}, nil, nil, nil, name)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if err := s.docker.ContainerRemove(s.context(), made.ID, container.RemoveOptions{Force: true}); err != nil {
			s.t.Error(err)
		}
	})
	return made.ID
}

func (s *testStack) foreignNetwork(name string) (id string) {
	s.t.Helper()
	made, err := s.docker.NetworkCreate(s.context(), name, network.CreateOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if err := s.docker.NetworkRemove(s.context(), made.ID); err != nil {
			s.t.Error(err)
		}
	})
	return made.ID
}

func (s *testStack) untag(name string) {
	if _, err := s.docker.ImageRemove(s.context(), name, dockerimage.RemoveOptions{}); err != nil {
		s.t.Error(err)
	}
}
