package docker

import (
	"context"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/network"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/conformance"
)

const (
	workload        = "lightshuttle-test/tiny:5"
	checkedWorkload = "lightshuttle-test/tinyhc:5"
)

// output is how much a container prints in the checks of much output.
var output = flag.Int64("conformance.output", 0, "bytes of output, 0 for the suite's own choice")

// TestConformance is the contract, on the engine of this machine.
func TestConformance(t *testing.T) {
	s := newStage(t)
	conform(t, s, conformance.Target{
		Name: "docker", Pullable: pullables(t, s), Output: *output,
		Exclusions: map[string]string{
			"logs/binary": "the engine keeps logs as JSON text, in which it replaces bytes that aren't UTF-8",
		},
	})
}

// A gigabyte comes whole and in order to who reads it while it is printed. It is
// a test of its own because it takes the time of all other checks together.
func TestConformanceOfAGigabyte(t *testing.T) {
	conform(t, newStage(t), conformance.Target{
		Name: "docker", Output: 1 << 30, Timeout: gigabyteTimeout, Only: []string{"logs/much-followed"},
	})
}

// gigabyteTimeout is for a busy machine and the race detector.
const gigabyteTimeout = 10 * time.Minute

// TestConformanceOfPodmansSocket is the contract, on podman's Docker-compatible
// service.
func TestConformanceOfPodmansSocket(t *testing.T) {
	conform(t, podmanStage(t), conformance.Target{
		Name: "podman (socket)", Output: *output,
		Exclusions: map[string]string{
			"logs/much-followed": "podman 4.3.1 itself loses lines of a followed log that grows fast",
			"spec/out-of-memory": "podman 4.3.1 doesn't see it in a cgroup of version 1",
			"watch/oom":          "podman 4.3.1 doesn't see it in a cgroup of version 1",
			"watch/health":       "podman needs systemd to make healthchecks",
		},
	})
}

// conform runs the suite on the engine of a stage, for a target that says what
// is special about it.
func conform(t *testing.T, s *stage, target conformance.Target) {
	t.Helper()
	way := newCuttable(t, strings.TrimPrefix(s.address, "unix://"))
	runtime, err := Open(Options{Host: way.address})
	must(t, err)
	t.Cleanup(func() { must(t, runtime.Close()) })
	ground := sdk.Network{Name: s.project, Project: s.project}
	_, err = s.EnsureNetwork(t.Context(), ground)
	must(t, err)
	of := func(image string) func(args ...string) sdk.Spec {
		return func(args ...string) sdk.Spec { return sdk.Spec{Image: image, Command: args, Network: ground.Name} }
	}
	target.Runtime, target.Level = runtime, conformance.Full
	target.Workload, target.Checked, target.Program = of(workload), of(checkedWorkload), []string{"/tiny"}
	target.AbsentImage, target.Buildable = "lightshuttle-test/none:1", true
	target.Outside = outside(s, way)
	conformance.Test(t, target)
}

// outside looks at the engine without the runtime.
func outside(s *stage, way *cuttable) conformance.Outside {
	return conformance.Outside{
		Leftovers: func(ctx context.Context, project string) ([]string, error) {
			var left []string
			label := filters.NewArgs(filters.Arg("label", sdk.LabelProject+"="+project))
			containers, err := s.api.ContainerList(ctx, container.ListOptions{All: true, Filters: label})
			for _, c := range containers {
				left = append(left, "container "+firstName(c))
			}
			networks, netErr := s.api.NetworkList(ctx, network.ListOptions{Filters: label})
			for _, n := range networks {
				left = append(left, "network "+n.Name)
			}
			return left, errors.Join(err, netErr)
		},
		Volumes: func(ctx context.Context, id string) ([]string, error) {
			seen, err := s.api.ContainerInspect(ctx, id)
			if err != nil {
				return nil, err
			}
			var names []string
			for _, m := range seen.Mounts {
				if m.Type == mount.TypeVolume {
					names = append(names, m.Name)
				}
			}
			return names, nil
		},
		VolumeExists: func(ctx context.Context, name string) (bool, error) {
			_, err := s.api.VolumeInspect(ctx, name)
			if cerrdefs.IsNotFound(err) {
				return false, nil
			}
			return err == nil, err
		},
		RemoveImage: func(ctx context.Context, ref string) error {
			_, err := s.api.ImageRemove(ctx, ref, image.RemoveOptions{Force: true})
			return err
		},
		Lose:    way.cut,
		Pause:   func(ctx context.Context, id string) error { return s.api.ContainerPause(ctx, id) },
		Unpause: func(ctx context.Context, id string) error { return s.api.ContainerUnpause(ctx, id) },
	}
}

// pullables offers images of the test program from a registry in this process.
// An engine that has the layers already still has to ask for them.
func pullables(t *testing.T, s *stage) func(context.Context) (string, func(), error) {
	reg := newRegistry(t, false)
	var offered atomic.Int64
	return func(ctx context.Context) (string, func(), error) {
		name := fmt.Sprintf("%s/%s/tiny:%d", reg.host, s.project, offered.Add(1))
		if err := s.api.ImageTag(ctx, workload, name); err != nil {
			return "", nil, err
		}
		pushed, err := s.api.ImagePush(ctx, name, image.PushOptions{RegistryAuth: base64.URLEncoding.EncodeToString([]byte("{}"))})
		if err != nil {
			return "", nil, err
		}
		defer pushed.Close()
		said, err := io.ReadAll(pushed)
		if err != nil || strings.Contains(string(said), "errorDetail") {
			return "", nil, fmt.Errorf("push: %w: %s", err, said)
		}
		remove := func() {
			_, _ = s.api.ImageRemove(context.WithoutCancel(ctx), name, image.RemoveOptions{Force: true})
		}
		remove()
		return name, remove, nil
	}
}

// cuttable is a way to the engine that can be cut.
type cuttable struct {
	address  string
	mu       sync.Mutex
	open     map[net.Conn]struct{}
	refusing bool
}

func newCuttable(t *testing.T, engine string) *cuttable {
	t.Helper()
	listener, err := net.Listen("unix", filepath.Join(t.TempDir(), "engine.sock"))
	must(t, err)
	c := &cuttable{address: "unix://" + listener.Addr().String(), open: map[net.Conn]struct{}{}}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			to, err := net.Dial("unix", engine)
			if err != nil || !c.keep(from, to) {
				from.Close()
				continue
			}
			all.Go(func() { c.pass(from, to) })
			all.Go(func() { c.pass(to, from) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		c.cut()
		all.Wait()
	})
	return c
}

func (c *cuttable) keep(connections ...net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, connection := range connections {
		if c.refusing {
			connection.Close()
			continue
		}
		c.open[connection] = struct{}{}
	}
	return !c.refusing
}

func (c *cuttable) pass(from, to net.Conn) {
	_, _ = io.Copy(to, from)
	if half, ok := to.(*net.UnixConn); ok {
		_ = half.CloseWrite()
	}
}

// cut ends all connections, and refuses others until it is restored.
func (c *cuttable) cut() func() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refusing = true
	for connection := range c.open {
		connection.Close()
	}
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.refusing = false
	}
}
