package docker

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/volume"
	"github.com/docker/go-connections/nat"

	"github.com/lightshuttle/lightshuttle/sdk"
)

func TestStartHonoursTheSpec(t *testing.T) {
	s := newStage(t)
	wanted := sdk.Network{Name: s.project, Project: s.project}
	_, err := s.EnsureNetwork(t.Context(), wanted)
	must(t, err)
	spec := s.spec("web", "serve")
	spec.Entrypoint = []string{"/tiny"}
	spec.Env = map[string]string{"NAME": "a b", "EMPTY": ""}
	spec.WorkingDir = "/work"
	spec.User = "1000:1000"
	spec.Hostname = "webhost"
	spec.Init = true
	spec.Network = s.project
	spec.Aliases = []string{"web", "www"}
	spec.Stop = sdk.StopPolicy{Signal: "SIGINT", Grace: sdk.Duration(1500 * time.Millisecond)}
	spec.Limits = sdk.Limits{NanoCPUs: 500_000_000, MemoryBytes: 64 << 20, PIDs: 50}
	spec.Healthcheck = check("/tiny", "get")
	spec.Healthcheck.StartPeriod = sdk.Duration(500 * time.Microsecond)
	id := s.start(t, spec)

	seen, err := s.api.ContainerInspect(t.Context(), id)
	must(t, err)
	config, host := seen.Config, seen.HostConfig
	if !maps.Equal(config.Labels, spec.Labels) {
		t.Errorf("labels %v", config.Labels)
	}
	if !slices.Contains(config.Env, "NAME=a b") || !slices.Contains(config.Env, "EMPTY=") {
		t.Errorf("env %q", config.Env)
	}
	if got := fmt.Sprint(seen.Name, config.Hostname, config.User, config.WorkingDir, config.Entrypoint, config.Cmd, config.StopSignal, *config.StopTimeout); got !=
		fmt.Sprint("/"+spec.Name, "webhost", "1000:1000", "/work", []string{"/tiny"}, []string{"serve"}, "SIGINT", 2) {
		t.Errorf("config %s", got)
	}
	if host.NanoCPUs != 500_000_000 || host.Memory != 64<<20 || host.PidsLimit == nil || *host.PidsLimit != 50 || host.Init == nil || !*host.Init {
		t.Errorf("limits %+v", host.Resources)
	}
	endpoint := seen.NetworkSettings.Networks[s.project]
	if endpoint == nil || !slices.Contains(endpoint.Aliases, "www") || !slices.Contains(endpoint.Aliases, "web") || len(seen.NetworkSettings.Networks) != 1 {
		t.Errorf("networks %+v", seen.NetworkSettings.Networks)
	}
	health := config.Healthcheck
	if !slices.Equal(health.Test, []string{"CMD", "/tiny", "get"}) || health.Interval != time.Second || health.StartPeriod != time.Millisecond || health.Retries != 3 {
		t.Errorf("healthcheck %+v", health)
	}
}

func TestStartKeepsTheImagesCommand(t *testing.T) {
	s := newStage(t)
	spec := s.spec("web")
	spec.Command = nil
	seen, err := s.api.ContainerInspect(t.Context(), s.start(t, spec))
	must(t, err)
	if !slices.Equal(seen.Config.Cmd, []string{"serve"}) || !slices.Equal(seen.Config.Entrypoint, []string{"/tiny"}) {
		t.Errorf("runs %v %v", seen.Config.Entrypoint, seen.Config.Cmd)
	}
}

func TestHealthcheckForTheEngine(t *testing.T) {
	for name, test := range map[string]struct {
		check   *sdk.Healthcheck
		version string
		want    []string
		start   time.Duration
	}{
		"none given":  {nil, "1.44", nil, 0},
		"disabled":    {&sdk.Healthcheck{Disable: true}, "1.44", []string{"NONE"}, 0},
		"http":        {&sdk.Healthcheck{HTTP: &sdk.HTTPCheck{Port: 1}}, "1.44", []string{"NONE"}, 0},
		"tcp":         {&sdk.Healthcheck{TCP: &sdk.TCPCheck{Port: 1}}, "1.44", []string{"NONE"}, 0},
		"log":         {&sdk.Healthcheck{Log: &sdk.LogCheck{Pattern: "x"}}, "1.44", []string{"NONE"}, 0},
		"test":        {check("a", "b"), "1.44", []string{"CMD", "a", "b"}, 50 * time.Millisecond},
		"test at old": {check("a", "b"), "1.43", []string{"CMD", "a", "b"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			got := healthcheck(test.check, test.version)
			if got == nil {
				if test.want != nil {
					t.Fatal("nothing")
				}
				return
			}
			if !slices.Equal(got.Test, test.want) || got.StartInterval != test.start {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestStartPublishesPorts(t *testing.T) {
	s := newStage(t)
	spec := s.spec("web")
	spec.Ports = []sdk.PortBinding{
		{HostIP: "127.0.0.1", ContainerPort: 8080, Protocol: sdk.TCP},
		{HostIP: "127.0.0.1", HostPort: freePort(t), ContainerPort: 8080},
		{HostIP: "127.0.0.1", ContainerPort: 53, Protocol: sdk.UDP},
	}
	if listener, err := net.Listen("tcp", "[::1]:0"); err == nil {
		listener.Close()
		spec.Ports = append(spec.Ports, sdk.PortBinding{HostIP: "::1", ContainerPort: 8080, Protocol: sdk.TCP})
	}
	id := s.start(t, spec)
	state, err := s.Inspect(t.Context(), id)
	must(t, err)
	published, err := s.PublishedPorts(t.Context())
	must(t, err)
	if len(state.Ports) != len(spec.Ports) {
		t.Fatalf("ports %+v", state.Ports)
	}
	protocols := map[sdk.Protocol]int{}
	for _, port := range state.Ports {
		protocols[port.Protocol]++
		if port.HostPort == 0 {
			t.Errorf("no host port in %+v", port)
		}
		if !slices.Contains(published, sdk.PublishedPort{PortBinding: port, Container: spec.Name, Project: s.project}) {
			t.Errorf("%+v isn't among the published ports %+v", port, published)
		}
	}
	if protocols[sdk.UDP] != 1 {
		t.Errorf("ports %+v", state.Ports)
	}
	if len(state.Addresses) != 1 {
		t.Errorf("addresses %v", state.Addresses)
	}
}

func freePort(t *testing.T) uint16 {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer listener.Close()
	return netip.MustParseAddrPort(listener.Addr().String()).Port()
}

func TestPortsAccumulate(t *testing.T) {
	exposed, bindings := ports([]sdk.PortBinding{
		{HostIP: "127.0.0.1", HostPort: 80, ContainerPort: 8080},
		{HostIP: "::1", HostPort: 81, ContainerPort: 8080, Protocol: sdk.TCP},
		{HostIP: "0.0.0.0", ContainerPort: 8080, Protocol: sdk.UDP},
	})
	if len(exposed) != 2 || len(bindings["8080/tcp"]) != 2 || bindings["8080/udp"][0] != (nat.PortBinding{HostIP: "0.0.0.0"}) {
		t.Errorf("got %v %v", exposed, bindings)
	}
}

func TestStartMounts(t *testing.T) {
	s := newStage(t)
	folder := t.TempDir()
	must(t, os.WriteFile(filepath.Join(folder, "file"), []byte("from the host"), 0o644))
	name := s.project + "-data"
	_, err := s.EnsureVolume(t.Context(), sdk.Volume{Name: name, Project: s.project})
	must(t, err)
	spec := s.script("box", "cat /host/file; touch /host/x || echo read-only; touch /data/a /anonymous/b; mount | grep -c 'tmpfs on /memory .*size=1024k'")
	spec.Mounts = []sdk.Mount{
		{Type: sdk.MountBind, Source: folder, Target: "/host", ReadOnly: true},
		{Type: sdk.MountVolume, Source: name, Target: "/data"},
		{Type: sdk.MountVolume, Target: "/anonymous"},
		{Type: sdk.MountTmpfs, Target: "/memory", Options: "size=1m,mode=1777"},
	}
	id := s.finished(t, spec)
	want := "from the host" + "read-only\n" + "1\n"
	if got := s.printed(t, id)[sdk.Stdout]; got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
	seen, err := s.api.ContainerInspect(t.Context(), id)
	must(t, err)
	at := slices.IndexFunc(seen.Mounts, func(m container.MountPoint) bool { return m.Destination == "/anonymous" })
	anonymous := seen.Mounts[at].Name
	if seen.Mounts[at].Type != mount.TypeVolume || anonymous == "" {
		t.Fatalf("mounts %+v", seen.Mounts)
	}
	must(t, s.Remove(t.Context(), id))
	found, err := s.api.VolumeList(t.Context(), volume.ListOptions{})
	must(t, err)
	for _, v := range found.Volumes {
		if v.Name == anonymous {
			t.Error("the anonymous volume is left")
		}
	}
	if own, err := s.ListVolumes(t.Context(), s.project); err != nil || len(own) != 1 || own[0].Name != name {
		t.Errorf("volumes %v, %v", own, err)
	}
}

func TestStartRefusals(t *testing.T) {
	s := newStage(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer listener.Close()
	taken := netip.MustParseAddrPort(listener.Addr().String()).Port()
	held := s.spec("holder")
	held.Ports = []sdk.PortBinding{{HostIP: "127.0.0.1", HostPort: freePort(t), ContainerPort: 8080}}
	s.start(t, held)

	for name, test := range map[string]struct {
		change func(*sdk.Spec)
		code   sdk.Code
		words  []string
	}{
		"a port that a program has": {
			func(spec *sdk.Spec) {
				spec.Ports = []sdk.PortBinding{{HostIP: "127.0.0.1", HostPort: taken, ContainerPort: 80}}
			},
			sdk.CodePortInUse,
			[]string{fmt.Sprint(taken), "stop what uses the port"},
		},
		"a port that a container has": {
			func(spec *sdk.Spec) { spec.Ports = held.Ports },
			sdk.CodePortInUse,
			[]string{fmt.Sprint(held.Ports[0].HostPort), "stop what uses the port"},
		},
		"no such program": {
			func(spec *sdk.Spec) { spec.Entrypoint = []string{"nothing-like-it"} },
			sdk.CodeInvalid,
			[]string{"nothing-like-it", "check command"},
		},
		"no such path": {
			func(spec *sdk.Spec) { spec.Entrypoint = []string{"/no/such/program"} },
			sdk.CodeInvalid,
			[]string{"/no/such/program", "check command"},
		},
		"not a program": {
			func(spec *sdk.Spec) {
				spec.Image, spec.Entrypoint, spec.Command = busybox, []string{"/etc/passwd"}, nil
			},
			sdk.CodeInvalid,
			[]string{"check command"},
		},
		"no such folder": {
			func(spec *sdk.Spec) {
				spec.Mounts = []sdk.Mount{{Type: sdk.MountBind, Source: "/no/such/folder", Target: "/x"}}
			},
			sdk.CodeInvalid,
			[]string{"/no/such/folder"},
		},
		"no such image": {
			func(spec *sdk.Spec) { spec.Image = "lightshuttle-test/none:1" },
			sdk.CodeImageNotFound,
			[]string{"lightshuttle-test/none:1"},
		},
		"no such image, never to be pulled": {
			func(spec *sdk.Spec) { spec.Image, spec.Pull = "lightshuttle-test/none:1", sdk.PullNever },
			sdk.CodeImageNotFound,
			[]string{"lightshuttle-test/none:1", "never"},
		},
		"no such network": {
			func(spec *sdk.Spec) { spec.Network = "no-such-network" },
			sdk.CodeNotFound,
			[]string{"no-such-network"},
		},
		"an unknown user": {
			func(spec *sdk.Spec) { spec.User = "nobody-like-it" },
			sdk.CodeInvalid,
			[]string{"nobody-like-it"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			spec := s.spec("refused")
			test.change(&spec)
			_, err := s.Start(t.Context(), spec)
			e := wantError(t, err, test.code, test.words...)
			if e.Resource != "refused" || e.Op != "start" {
				t.Errorf("resource %q, operation %q", e.Resource, e.Op)
			}
			if left := s.left(t); !slices.Equal(left, []string{held.Name}) {
				t.Errorf("left: %v", left)
			}
		})
	}
}

func TestStartLeavesTheHolderOfTheNameAlone(t *testing.T) {
	s := newStage(t)
	spec := s.spec("web")
	id := s.start(t, spec)
	_, err := s.Start(t.Context(), spec)
	wantError(t, err, sdk.CodeConflict, "of this project", short(id))

	other := s.spec("other")
	other.Name = spec.Name
	_, err = s.Start(t.Context(), other)
	wantError(t, err, sdk.CodeConflict, "is taken", short(id))
	if state, err := s.Inspect(t.Context(), id); err != nil || state.Status != sdk.StatusRunning {
		t.Errorf("the holder is %s, %v", state.Status, err)
	}
}

// Wherever the cancellation hits a start, nothing is left.
func TestCancelledStartLeavesNothing(t *testing.T) {
	s := newStage(t)
	for delay := time.Duration(0); delay < 300*time.Millisecond; delay += 15 * time.Millisecond {
		ctx, cancel := context.WithTimeout(t.Context(), delay)
		id, err := s.Start(ctx, s.spec("web"))
		cancel()
		if err == nil {
			must(t, s.Remove(t.Context(), id))
			break
		}
		wantError(t, err, sdk.CodeTimeout)
		if left := s.left(t); len(left) > 0 {
			t.Fatalf("cancelled after %s: left %v", delay, left)
		}
	}
}

func TestValidate(t *testing.T) {
	s := newStage(t)
	must(t, s.Validate(t.Context(), s.spec("web")))
	spec := s.spec("web")
	spec.Image, spec.Pull = "lightshuttle-test/none:1", sdk.PullNever
	wantError(t, s.Validate(t.Context(), spec), sdk.CodeImageNotFound, spec.Image)
	spec.Pull = sdk.PullMissing
	must(t, s.Validate(t.Context(), spec))
}
