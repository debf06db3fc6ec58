package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"io"
	"slices"
	"testing"

	"github.com/docker/docker/api/types/build"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/volume"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// declaring makes an image with a file in a volume that it declares.
func (s *stage) declaring(t *testing.T) string {
	t.Helper()
	const dockerfile = "FROM busybox:1.36\nRUN mkdir /declared && echo kept > /declared/file && chown 1000 /declared\nVOLUME /declared /also/\n"
	var sources bytes.Buffer
	archive := tar.NewWriter(&sources)
	must(t, archive.WriteHeader(&tar.Header{Name: "Dockerfile", Mode: 0o600, Size: int64(len(dockerfile))}))
	_, err := archive.Write([]byte(dockerfile))
	must(t, err)
	must(t, archive.Close())
	ref := "lightshuttle-test/declaring-" + s.project + ":1"
	built, err := s.api.ImageBuild(t.Context(), &sources, build.ImageBuildOptions{Tags: []string{ref}, Remove: true, ForceRemove: true})
	must(t, err)
	_, err = io.Copy(io.Discard, built.Body)
	must(t, err)
	must(t, built.Body.Close())
	t.Cleanup(func() {
		_, _ = s.api.ImageRemove(context.WithoutCancel(t.Context()), ref, image.RemoveOptions{Force: true})
	})
	return ref
}

// An engine that is killed at the wrong moment loses a container's anonymous
// volumes, so they say whose they are.
func TestAnonymousVolumesHaveLabels(t *testing.T) {
	s := newStage(t)
	spec := s.script("box", "cat /declared/file; stat -c %u /declared; touch /also/x /own/x; sleep 1000")
	spec.Image = s.declaring(t)
	spec.Mounts = []sdk.Mount{{Type: sdk.MountVolume, Target: "/own"}}
	id := s.start(t, spec)
	seen, err := s.api.ContainerInspect(t.Context(), id)
	must(t, err)
	var names []string
	for _, m := range seen.Mounts {
		v, err := s.api.VolumeInspect(t.Context(), m.Name)
		must(t, err)
		names = append(names, m.Name)
		if v.Labels[sdk.LabelProject] != s.project || v.Labels[sdk.LabelResource] != "box" || v.Labels[sdk.LabelAnonymous] == "" {
			t.Errorf("%s has the labels %v", m.Destination, v.Labels)
		}
	}
	if len(names) != 3 {
		t.Errorf("it has the mounts %+v", seen.Mounts)
	}
	must(t, s.RemoveOrphans(t.Context(), s.project))
	must(t, s.Stop(t.Context(), id, 0))
	if got, want := s.printed(t, id)[sdk.Stdout], "kept\n1000\n"; got != want {
		t.Errorf("it printed %q, wanted %q", got, want)
	}
	if named, err := s.ListVolumes(t.Context(), s.project); err != nil || len(named) != 0 {
		t.Errorf("named volumes %v, %v", named, err)
	}
	must(t, s.Remove(t.Context(), id))
	if left := s.volumes(t); slices.ContainsFunc(names, func(name string) bool { return slices.Contains(left, name) }) {
		t.Errorf("of the volumes %v there are %v", names, left)
	}
}

func TestOrphansAreOnlyTheProjectsOwn(t *testing.T) {
	s := newStage(t)
	create := func(name string, labels map[string]string) {
		_, err := s.api.VolumeCreate(t.Context(), volume.CreateOptions{Name: s.project + "-" + name, Labels: labels})
		must(t, err)
		t.Cleanup(func() { _ = s.api.VolumeRemove(context.WithoutCancel(t.Context()), s.project+"-"+name, true) })
	}
	create("orphan", map[string]string{sdk.LabelProject: s.project, sdk.LabelAnonymous: "true"})
	create("named", map[string]string{sdk.LabelProject: s.project})
	create("foreign", map[string]string{sdk.LabelProject: s.project + "2", sdk.LabelAnonymous: "true"})
	must(t, s.RemoveOrphans(t.Context(), s.project))
	left := s.volumes(t)
	for name, want := range map[string]bool{"orphan": false, "named": true, "foreign": true} {
		if slices.Contains(left, s.project+"-"+name) != want {
			t.Errorf("%s: there is %t", name, !want)
		}
	}
}

// volumes names all there are.
func (s *stage) volumes(t *testing.T) []string {
	t.Helper()
	found, err := s.api.VolumeList(t.Context(), volume.ListOptions{})
	must(t, err)
	var names []string
	for _, v := range found.Volumes {
		names = append(names, v.Name)
	}
	return names
}
