package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/volume"
	"github.com/docker/docker/client"

	"github.com/lightshuttle/lightshuttle/manifest"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// patience bounds every wait of these tests. None of them comes near it.
const patience = 60 * time.Second

// image is in every engine that the tests run on, and never pulled by them.
const image = "busybox:1.36"

// testStack is a manifest in a folder of its own, with a project of its own on
// the real engine. When the test ends, nothing of the project may be left.
type testStack struct {
	t       *testing.T
	dir     string
	project string
	docker  *client.Client
	// env is added to the environment of the program.
	env []string
}

// newStack writes a manifest with these resources. Tabs at the beginning of
// lines are taken away, IMAGE stands for an image that is there.
func newStack(t *testing.T, resources string) *testStack {
	t.Helper()
	t.Parallel()
	return newStackOf(t, resources)
}

// newStackOf is newStack for tests that have several.
func newStackOf(t *testing.T, resources string) *testStack {
	t.Helper()
	docker, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = docker.Close() })
	if _, err := docker.ImageInspect(t.Context(), image); err != nil {
		t.Fatalf("this test needs a docker engine with the image %s: run the scripts that set them up (%v)", image, err)
	}
	s := &testStack{t: t, dir: t.TempDir(), project: "t" + strings.ToLower(rand.Text()[:10]), docker: docker}
	s.write(resources)
	t.Cleanup(s.wantNothingLeft)
	return s
}

func (s *testStack) write(resources string) {
	s.t.Helper()
	text := "project: {name: " + s.project + "}\nresources:\n" + strings.ReplaceAll(strings.ReplaceAll(resources, "IMAGE", image), "\t", "  ")
	s.file("lightshuttle.yml", text)
}

func (s *testStack) file(name, text string) {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		s.t.Fatal(err)
	}
}

func (s *testStack) read(name string) string {
	s.t.Helper()
	data, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		s.t.Fatal(err)
	}
	return string(data)
}

// context outlives the test's own, for what is cleaned up after it.
func (s *testStack) context() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	s.t.Cleanup(cancel)
	return ctx
}

func (s *testStack) ours() filters.Args {
	return filters.NewArgs(filters.Arg("label", sdk.LabelProject+"="+s.project))
}

func (s *testStack) containers() []container.Summary {
	s.t.Helper()
	found, err := s.docker.ContainerList(s.context(), container.ListOptions{All: true, Filters: s.ours()})
	if err != nil {
		s.t.Fatal(err)
	}
	return found
}

// container is the only container of a resource.
func (s *testStack) container(resource string) container.InspectResponse {
	s.t.Helper()
	var found []string
	for _, c := range s.containers() {
		if c.Labels[sdk.LabelResource] == resource {
			found = append(found, c.ID)
		}
	}
	if len(found) != 1 {
		s.t.Fatalf("%d containers of %s, want 1", len(found), resource)
	}
	inspected, err := s.docker.ContainerInspect(s.context(), found[0])
	if err != nil {
		s.t.Fatal(err)
	}
	return inspected
}

// resources are the names of the resources that have a container, sorted.
func (s *testStack) resources() string {
	s.t.Helper()
	var names []string
	for _, c := range s.containers() {
		names = append(names, c.Labels[sdk.LabelResource])
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func (s *testStack) networks() []network.Summary {
	s.t.Helper()
	found, err := s.docker.NetworkList(s.context(), network.ListOptions{Filters: s.ours()})
	if err != nil {
		s.t.Fatal(err)
	}
	return found
}

func (s *testStack) volumes() []*volume.Volume {
	s.t.Helper()
	found, err := s.docker.VolumeList(s.context(), volume.ListOptions{Filters: s.ours()})
	if err != nil {
		s.t.Fatal(err)
	}
	return found.Volumes
}

// left names all that is there of the project.
func (s *testStack) left() []string {
	s.t.Helper()
	var left []string
	for _, c := range s.containers() {
		left = append(left, "container "+c.Names[0])
	}
	for _, n := range s.networks() {
		left = append(left, "network "+n.Name)
	}
	for _, v := range s.volumes() {
		left = append(left, "volume "+v.Name)
	}
	return left
}

// wantNothingLeft fails when something is left, and removes it.
func (s *testStack) wantNothingLeft() {
	s.t.Helper()
	left := s.left()
	if len(left) == 0 {
		return
	}
	s.t.Errorf("left behind: %s", strings.Join(left, ", "))
	ctx := s.context()
	for _, c := range s.containers() {
		_ = s.docker.ContainerRemove(ctx, c.ID, container.RemoveOptions{Force: true, RemoveVolumes: true})
	}
	for _, n := range s.networks() {
		_ = s.docker.NetworkRemove(ctx, n.ID)
	}
	for _, v := range s.volumes() {
		_ = s.docker.VolumeRemove(ctx, v.Name, true)
	}
}

func (s *testStack) networkName() string { return manifest.NetworkName(s.project) }

// result is what a run of the program has left.
type result struct {
	t      *testing.T
	code   int
	stdout string
	stderr string
}

// run runs the program in the stack's folder until it ends.
func (s *testStack) run(args ...string) result {
	s.t.Helper()
	return s.runIn(s.dir, args...)
}

func (s *testStack) runIn(dir string, args ...string) result {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	command := exec.CommandContext(ctx, "lightshuttle", args...)
	command.Dir = dir
	command.Env = append(os.Environ(), s.env...)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	err := command.Run()
	if ctx.Err() != nil {
		s.t.Fatalf("%s has not ended after %s:\n%s", strings.Join(args, " "), patience, stderr.String())
	}
	failed, ok := errors.AsType[*exec.ExitError](err)
	if err != nil && !ok {
		s.t.Fatal(err)
	}
	r := result{t: s.t, stdout: stdout.String(), stderr: stderr.String()}
	if failed != nil {
		r.code = failed.ExitCode()
	}
	return r
}

// exited fails unless the code is the one that is wanted.
func (r result) exited(want int) result {
	r.t.Helper()
	if r.code != want {
		r.t.Fatalf("exit code %d, want %d\nstdout:\n%s\nstderr:\n%s", r.code, want, r.stdout, r.stderr)
	}
	return r
}

// says fails unless stderr has all of these.
func (r result) says(texts ...string) result {
	r.t.Helper()
	for _, text := range texts {
		if !strings.Contains(r.stderr, text) {
			r.t.Errorf("stderr doesn't say %q:\n%s", text, r.stderr)
		}
	}
	return r
}

func (r result) prints(texts ...string) result {
	r.t.Helper()
	for _, text := range texts {
		if !strings.Contains(r.stdout, text) {
			r.t.Errorf("stdout doesn't have %q:\n%s", text, r.stdout)
		}
	}
	return r
}

// eventually waits for a state that nothing tells about when it comes.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for !holds() {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			t.Fatalf("it never came to be that %s", what)
		}
	}
}
