package docker

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/volume"

	"github.com/lightshuttle/lightshuttle/sdk"
)

func TestNetwork(t *testing.T) {
	s := newStage(t)
	wanted := sdk.Network{Name: s.project + "_default", Project: s.project, Labels: map[string]string{"x": "y"}}
	// A name that only begins like ours is another network.
	longer := sdk.Network{Name: wanted.Name + "_2", Project: s.project}
	created, err := s.EnsureNetwork(t.Context(), longer)
	must(t, err)
	if !created {
		t.Error("not created")
	}
	var made atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			created, err := s.EnsureNetwork(t.Context(), wanted)
			if err != nil {
				t.Error(err)
			}
			if created {
				made.Add(1)
			}
		})
	}
	all.Wait()
	own, err := s.ownNetworks(t.Context(), wanted)
	must(t, err)
	if made.Load() != 1 || len(own) != 1 || own[0].Labels["x"] != "y" || own[0].Driver != "bridge" {
		t.Fatalf("made %d: %+v", made.Load(), own)
	}

	spec := s.spec("web")
	spec.Network = wanted.Name
	id := s.start(t, spec)
	wantError(t, s.RemoveNetwork(t.Context(), wanted), sdk.CodeConflict, spec.Name)
	must(t, s.Remove(t.Context(), id))
	must(t, s.RemoveNetwork(t.Context(), wanted))
	must(t, s.RemoveNetwork(t.Context(), wanted))

	foreign := sdk.Network{Name: longer.Name, Project: "another-project"}
	_, err = s.EnsureNetwork(t.Context(), foreign)
	wantError(t, err, sdk.CodeConflict, longer.Name)
	wantError(t, s.RemoveNetwork(t.Context(), foreign), sdk.CodeConflict, longer.Name)
}

// Old engines may give several networks one name, when several processes make
// them in one moment.
func TestOneOfSeveralNetworksIsKept(t *testing.T) {
	s := newStage(t)
	other := engine(t)
	wanted := sdk.Network{Name: s.project, Project: s.project}
	for range 4 {
		var all sync.WaitGroup
		for _, r := range []*Runtime{s.Runtime, other} {
			all.Go(func() {
				if _, err := r.EnsureNetwork(t.Context(), wanted); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		own, err := s.ownNetworks(t.Context(), wanted)
		must(t, err)
		if len(own) != 1 {
			t.Fatalf("networks %+v", own)
		}
		must(t, s.RemoveNetwork(t.Context(), wanted))
	}
}

func TestVolume(t *testing.T) {
	s := newStage(t)
	wanted := sdk.Volume{Name: s.project + "_data", Project: s.project, Labels: map[string]string{"x": "y"}}
	for _, first := range []bool{true, false} {
		created, err := s.EnsureVolume(t.Context(), wanted)
		must(t, err)
		if created != first {
			t.Errorf("created: %t", created)
		}
	}
	listed, err := s.ListVolumes(t.Context(), s.project)
	must(t, err)
	if len(listed) != 1 || listed[0].Name != wanted.Name || listed[0].Labels["x"] != "y" || listed[0].Labels[sdk.LabelProject] != s.project {
		t.Errorf("listed %+v", listed)
	}
	foreign := sdk.Volume{Name: wanted.Name, Project: "another-project"}
	_, err = s.EnsureVolume(t.Context(), foreign)
	wantError(t, err, sdk.CodeConflict, wanted.Name)
	wantError(t, s.RemoveVolume(t.Context(), foreign), sdk.CodeConflict, wanted.Name)

	spec := s.spec("web")
	spec.Mounts = []sdk.Mount{{Type: sdk.MountVolume, Source: wanted.Name, Target: "/data"}}
	id := s.start(t, spec)
	wantError(t, s.RemoveVolume(t.Context(), wanted), sdk.CodeConflict)
	must(t, s.Remove(t.Context(), id))
	must(t, s.RemoveVolume(t.Context(), wanted))
	must(t, s.RemoveVolume(t.Context(), wanted))
}

func TestForeignNetworkAndVolumeAreLeftAlone(t *testing.T) {
	s := newStage(t)
	name := s.project + "-foreign"
	made, err := s.api.NetworkCreate(t.Context(), name, network.CreateOptions{})
	must(t, err)
	_, err = s.api.VolumeCreate(t.Context(), volume.CreateOptions{Name: name})
	must(t, err)
	_, err = s.EnsureNetwork(t.Context(), sdk.Network{Name: name, Project: s.project})
	wantError(t, err, sdk.CodeConflict, name)
	wantError(t, s.RemoveNetwork(t.Context(), sdk.Network{Name: name, Project: s.project}), sdk.CodeConflict, name)
	_, err = s.EnsureVolume(t.Context(), sdk.Volume{Name: name, Project: s.project})
	wantError(t, err, sdk.CodeConflict, name)
	wantError(t, s.RemoveVolume(t.Context(), sdk.Volume{Name: name, Project: s.project}), sdk.CodeConflict, name)
	must(t, s.api.NetworkRemove(t.Context(), made.ID))
	must(t, s.api.VolumeRemove(t.Context(), name, false))
}
