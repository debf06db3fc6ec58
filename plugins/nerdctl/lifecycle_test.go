package nerdctl

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

func TestAContainersLife(t *testing.T) {
	onEngines(t, func(t *testing.T, s *stage) {
		spec := s.spec("web")
		spec.Ports = []sdk.PortBinding{{HostIP: "127.0.0.1", ContainerPort: 8080, Protocol: sdk.TCP}}
		id := s.start(t, spec)
		state, err := s.WaitHealthy(t.Context(), id, check("/tiny", "get"))
		must(t, err)
		if state.ID != id || state.Name != spec.Name || state.Project != s.project || state.Resource != "web" ||
			state.Image != tiny || state.Status != sdk.StatusRunning || state.ExitCode != nil || state.StartedAt.IsZero() {
			t.Errorf("got %+v", state)
		}
		if len(state.Ports) != 1 || state.Ports[0].HostPort == 0 || state.Ports[0].ContainerPort != 8080 || state.Ports[0].HostIP != "127.0.0.1" {
			t.Errorf("ports: %+v", state.Ports)
		}
		published, err := s.PublishedPorts(t.Context())
		must(t, err)
		if !slices.ContainsFunc(published, func(p sdk.PublishedPort) bool {
			return p.HostPort == state.Ports[0].HostPort && p.Container == spec.Name && p.Project == s.project
		}) {
			t.Errorf("%+v isn't among %+v", state.Ports[0], published)
		}
		must(t, s.Stop(t.Context(), id, 5*time.Second))
		state, err = s.Inspect(t.Context(), id)
		must(t, err)
		if !state.Ended() || state.ExitCode == nil || *state.ExitCode != 0 || state.FinishedAt.IsZero() {
			t.Errorf("after the stop: %+v", state)
		}
		must(t, s.Stop(t.Context(), id, time.Second))
		must(t, s.Remove(t.Context(), id))
		must(t, s.Remove(t.Context(), id))
		must(t, s.Stop(t.Context(), id, time.Second))
		if left := s.left(t); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
		_, err = s.Inspect(t.Context(), id)
		wantError(t, err, sdk.CodeNotFound)
	})
}

func TestTheEnvironmentArrivesUnchanged(t *testing.T) {
	onEngines(t, func(t *testing.T, s *stage) {
		spec := s.script("env", "sleep 1000")
		spec.Env = map[string]string{
			"PLAIN": "1", "EMPTY": "", "SPACES": "  a b  ", "QUOTES": `'"\$x`, "LINES": "one\ntwo\n", "EQUALS": "a=b=c",
			"UNICODE": "ä€😀", "LONG": strings.Repeat("x", 100_000), "HASH": "#not a comment", "CR": "a\rb",
		}
		id := s.start(t, spec)
		env, err := s.Env(t.Context(), id)
		must(t, err)
		for name, value := range spec.Env {
			if env[name] != value {
				t.Errorf("%s: got %.60q, want %.60q", name, env[name], value)
			}
		}
		var out bytes.Buffer
		code, err := s.Exec(t.Context(), id, sdk.ExecOptions{
			Command: []string{"sh", "-c", `printf '%s|%s|%s' "$LINES" "$ADDED" "$(pwd)"`},
			Env:     map[string]string{"ADDED": "x\ny"}, WorkingDir: "/tmp", Stdout: &out,
		})
		must(t, err)
		if code != 0 || out.String() != "one\ntwo\n|x\ny|/tmp" {
			t.Errorf("code %d, %q", code, out.String())
		}
	})
}

func TestEntrypointAndCommand(t *testing.T) {
	onEngines(t, func(t *testing.T, s *stage) {
		for name, c := range map[string]struct {
			image               string
			entrypoint, command []string
			prints              string
		}{
			"split":     {busybox, []string{"echo", "-n", "a b"}, []string{"c"}, "a b c"},
			"alone":     {busybox, []string{"echo", "x"}, nil, "x\n"},
			"cleared":   {busybox, []string{}, []string{"echo", "--name=y"}, "--name=y\n"},
			"imagesown": {tiny, nil, []string{"print", "z"}, ""},
		} {
			spec := s.spec(name)
			spec.Image, spec.Entrypoint, spec.Command = c.image, c.entrypoint, c.command
			id := s.finished(t, spec)
			var out bytes.Buffer
			must(t, s.Logs(t.Context(), id, sdk.LogOptions{Tail: -1}, func(e sdk.LogEntry) error {
				if e.Stream == sdk.Stdout {
					out.Write(e.Data)
				}
				return nil
			}))
			if out.String() != c.prints && c.prints != "" {
				t.Errorf("%s: printed %q, want %q", name, out.String(), c.prints)
			}
		}
	})
}

func TestLogsHaveBothStreamsInOrder(t *testing.T) {
	onEngines(t, func(t *testing.T, s *stage) {
		id := s.finished(t, s.script("log", `for i in 1 2 3; do echo out$i; sleep 0.05; echo err$i >&2; sleep 0.05; done; printf end; exit 3`))
		var got []string
		var last time.Time
		must(t, s.Logs(t.Context(), id, sdk.LogOptions{Tail: -1}, func(e sdk.LogEntry) error {
			got = append(got, string(e.Stream)+":"+string(e.Data))
			if e.Time.Before(last) || e.Time.IsZero() {
				t.Errorf("%q at %s, after %s", e.Data, e.Time, last)
			}
			last = e.Time
			return nil
		}))
		want := []string{
			"stdout:out1\n", "stderr:err1\n", "stdout:out2\n", "stderr:err2\n", "stdout:out3\n", "stderr:err3\n", "stdout:end",
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %q", got)
		}
		count := 0
		must(t, s.Logs(t.Context(), id, sdk.LogOptions{Tail: 2}, func(sdk.LogEntry) error { count++; return nil }))
		if count != 2 {
			t.Errorf("a tail of 2 has %d entries", count)
		}
		failed := errors.New("full")
		if err := s.Logs(t.Context(), id, sdk.LogOptions{Tail: -1}, func(sdk.LogEntry) error { return failed }); err != failed {
			t.Errorf("the sink's error became %v", err)
		}
		wantError(t, s.Logs(t.Context(), "no-such-container", sdk.LogOptions{Tail: -1}, nil), sdk.CodeNotFound)
	})
}

func TestAFollowedLogEndsWithItsContainer(t *testing.T) {
	onEngines(t, func(t *testing.T, s *stage) {
		// It lasts a while longer than its words: see lasting.
		id := s.start(t, s.script("log", "echo first; trap 'echo last; sleep 0.5; exit 0' TERM; while :; do sleep 0.1; done"))
		seen := make(chan string, 10)
		ended := make(chan error, 1)
		go func() {
			ended <- s.Logs(t.Context(), id, sdk.LogOptions{Follow: true, Tail: -1}, func(e sdk.LogEntry) error {
				seen <- string(e.Data)
				return nil
			})
		}()
		if line := <-seen; line != "first\n" {
			t.Errorf("got %q", line)
		}
		must(t, s.Stop(t.Context(), id, 5*time.Second))
		must(t, <-ended)
		select {
		case line := <-seen:
			if line != "last\n" {
				t.Errorf("got %q", line)
			}
		default:
			t.Error("the last line was lost")
		}
	})
}

func TestExecTellsExitCodes(t *testing.T) {
	onEngines(t, func(t *testing.T, s *stage) {
		id := s.start(t, s.script("sh", "sleep 1000"))
		for script, code := range map[string]int{"exit 0": 0, "exit 1": 1, "exit 7": 7, "exit 125": 125, "exit 255": 255, "kill -9 $$": 137} {
			var out, errs bytes.Buffer
			got, err := s.Exec(t.Context(), id, sdk.ExecOptions{Command: []string{"sh", "-c", "echo out; echo err >&2; " + script}, Stdout: &out, Stderr: &errs})
			must(t, err)
			if got != code || out.String() != "out\n" || errs.String() != "err\n" {
				t.Errorf("%s: code %d, %q, %q", script, got, out.String(), errs.String())
			}
		}
		var errs bytes.Buffer
		got, err := s.Exec(t.Context(), id, sdk.ExecOptions{Command: []string{"no-such-program"}, Stdout: &errs, Stderr: &errs})
		must(t, err)
		if got != 127 && got != 126 || !strings.Contains(errs.String(), "no-such-program") {
			t.Errorf("a missing program: code %d, %q", got, errs.String())
		}
		must(t, s.Stop(t.Context(), id, 0))
		_, err = s.Exec(t.Context(), id, sdk.ExecOptions{Command: []string{"true"}})
		wantError(t, err, sdk.CodeExited)
		_, err = s.Exec(t.Context(), "no-such-container", sdk.ExecOptions{Command: []string{"true"}})
		wantError(t, err, sdk.CodeNotFound)
	})
}

func TestAFailedStartLeavesNothing(t *testing.T) {
	onEngines(t, func(t *testing.T, s *stage) {
		missing := s.spec("bad")
		missing.Entrypoint = []string{"/nosuch"}
		_, err := s.Start(t.Context(), missing)
		wantError(t, err, sdk.CodeInvalid, "/nosuch", "check command and entrypoint")

		image := s.spec("bad")
		image.Image = "lightshuttle-test/nosuch:1"
		_, err = s.Start(t.Context(), image)
		wantError(t, err, sdk.CodeImageNotFound)

		user := s.spec("bad")
		user.User = "nosuch"
		_, err = s.Start(t.Context(), user)
		wantError(t, err, sdk.CodeInvalid, "name a user")

		mount := s.spec("bad")
		mount.Mounts = []sdk.Mount{{Type: sdk.MountBind, Source: "/no/such/folder", Target: "/x"}}
		_, err = s.Start(t.Context(), mount)
		wantError(t, err, sdk.CodeInvalid, "/no/such/folder")

		if left := s.left(t); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
	})
}

func TestAPortThatIsTaken(t *testing.T) {
	onEngines(t, func(t *testing.T, s *stage) {
		first := s.spec("first")
		first.Ports = []sdk.PortBinding{{HostIP: "127.0.0.1", ContainerPort: 8080}}
		state, err := s.Inspect(t.Context(), s.start(t, first))
		must(t, err)
		second := s.spec("second")
		second.Ports = []sdk.PortBinding{{HostIP: "127.0.0.1", HostPort: state.Ports[0].HostPort, ContainerPort: 8080}}
		_, err = s.Start(t.Context(), second)
		wantError(t, err, sdk.CodePortInUse)
		if left := s.left(t); len(left) != 1 {
			t.Errorf("left: %v", left)
		}
	})
}

func TestANameThatIsTaken(t *testing.T) {
	onEngines(t, func(t *testing.T, s *stage) {
		id := s.start(t, s.spec("web"))
		_, err := s.Start(t.Context(), s.spec("web"))
		wantError(t, err, sdk.CodeConflict, "of this project is there already", id[:12])
		other := s.spec("web")
		other.Project, other.Labels = "other", map[string]string{sdk.LabelProject: "other"}
		_, err = s.Start(t.Context(), other)
		wantError(t, err, sdk.CodeConflict, "isn't LightShuttle's", "rm -f")
		if left := s.left(t); len(left) != 1 {
			t.Errorf("left: %v", left)
		}
	})
}

// A start that nobody wants any more leaves nothing, whenever that is.
func TestACancelledStartLeavesNothing(t *testing.T) {
	onEngines(t, func(t *testing.T, s *stage) {
		for _, after := range []time.Duration{0, 30 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond} {
			ctx, cancel := context.WithTimeout(t.Context(), after)
			id, err := s.Start(ctx, s.spec("web"))
			cancel()
			if err == nil {
				must(t, s.Remove(t.Context(), id))
			} else if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("after %s: %v", after, err)
			}
			if left := s.left(t); len(left) > 0 {
				t.Errorf("after %s: left %v", after, left)
			}
		}
	})
}

func TestWaitHealthyFailsAtOnce(t *testing.T) {
	onEngines(t, func(t *testing.T, s *stage) {
		id := s.start(t, s.script("dies", "sleep 0.3; echo why >&2; exit 4"))
		_, err := s.WaitHealthy(t.Context(), id, check("false"))
		e := wantError(t, err, sdk.CodeExited)
		if e.ExitCode != 4 {
			t.Errorf("exit code %d", e.ExitCode)
		}
		id = s.start(t, s.script("sick", "sleep 1000"))
		_, err = s.WaitHealthy(t.Context(), id, check("sh", "-c", "echo not yet; exit 1"))
		e = wantError(t, err, sdk.CodeUnhealthy)
		if !strings.Contains(e.Output, "not yet") {
			t.Errorf("output %q", e.Output)
		}
	})
}

func TestTheImagesOwnHealthcheckCounts(t *testing.T) {
	onEngines(t, func(t *testing.T, s *stage) {
		spec := s.spec("hc")
		spec.Image = tinyhc
		state, err := s.WaitHealthy(t.Context(), s.start(t, spec), nil)
		must(t, err)
		if state.Healthcheck == nil || state.Health != sdk.HealthHealthy || !slices.Equal(state.Healthcheck.Test, []string{"/tiny", "get"}) {
			t.Errorf("got %+v", state)
		}
	})
}

func TestContainersFindEachOther(t *testing.T) {
	onEngines(t, func(t *testing.T, s *stage) {
		created, err := s.EnsureNetwork(t.Context(), s.network())
		must(t, err)
		again, err := s.EnsureNetwork(t.Context(), s.network())
		must(t, err)
		if !created || again {
			t.Errorf("created %t, then %t", created, again)
		}
		for _, name := range []string{"db", "client"} {
			spec := s.script(name, "sleep 1000")
			spec.Network, spec.Aliases = s.network().Name, []string{name}
			s.start(t, spec)
		}
		var out bytes.Buffer
		code, err := s.Exec(t.Context(), s.project+".client", sdk.ExecOptions{Command: []string{"ping", "-c", "1", "db"}, Stdout: &out, Stderr: &out})
		must(t, err)
		if code != 0 {
			t.Errorf("db wasn't found: %s", out.String())
		}
		foreign := s.network()
		foreign.Project = "other"
		_, err = s.EnsureNetwork(t.Context(), foreign)
		wantError(t, err, sdk.CodeConflict, "doesn't belong to project other")
		wantError(t, s.RemoveNetwork(t.Context(), foreign), sdk.CodeConflict)
		wantError(t, s.RemoveNetwork(t.Context(), s.network()), sdk.CodeConflict)
	})
}

func TestVolumes(t *testing.T) {
	onEngines(t, func(t *testing.T, s *stage) {
		volume := sdk.Volume{Name: s.project + "_data", Project: s.project, Labels: map[string]string{"extra": "a b"}}
		created, err := s.EnsureVolume(t.Context(), volume)
		must(t, err)
		again, err := s.EnsureVolume(t.Context(), volume)
		must(t, err)
		if !created || again {
			t.Errorf("created %t, then %t", created, again)
		}
		folder := filepath.Join(t.TempDir(), "with, comma")
		must(t, os.Mkdir(folder, 0o755))
		must(t, os.WriteFile(filepath.Join(folder, "f"), []byte("bound\n"), 0o600))
		spec := s.script("mounts", "cat /b/f; touch /data/x && echo volume; touch /b/y || echo read-only; touch /t/x && echo memory; touch /anon/x && echo anonymous")
		spec.Mounts = []sdk.Mount{
			{Type: sdk.MountVolume, Source: volume.Name, Target: "/data"},
			{Type: sdk.MountVolume, Target: "/anon"},
			{Type: sdk.MountBind, Source: folder, Target: "/b", ReadOnly: true},
			{Type: sdk.MountTmpfs, Target: "/t", Options: "size=1m,mode=1777"},
		}
		id := s.finished(t, spec)
		var out bytes.Buffer
		must(t, s.Logs(t.Context(), id, sdk.LogOptions{Tail: -1}, func(e sdk.LogEntry) error {
			if e.Stream == sdk.Stdout {
				out.Write(e.Data)
			}
			return nil
		}))
		if out.String() != "bound\nvolume\nread-only\nmemory\nanonymous\n" {
			t.Errorf("got %q", out.String())
		}
		must(t, s.Remove(t.Context(), id))
		volumes, err := s.ListVolumes(t.Context(), s.project)
		must(t, err)
		if len(volumes) != 1 || volumes[0].Name != volume.Name || volumes[0].Labels["extra"] != "a b" {
			t.Errorf("got %+v", volumes)
		}
		foreign := volume
		foreign.Project = "other"
		_, err = s.EnsureVolume(t.Context(), foreign)
		wantError(t, err, sdk.CodeConflict)
		wantError(t, s.RemoveVolume(t.Context(), foreign), sdk.CodeConflict)
		must(t, s.RemoveVolume(t.Context(), volume))
		must(t, s.RemoveVolume(t.Context(), volume))
	})
}

func TestEventsTellALife(t *testing.T) {
	onEngines(t, func(t *testing.T, s *stage) {
		events, err := s.Watch(t.Context(), s.project, time.Time{})
		must(t, err)
		id := s.start(t, s.script("job", "sleep 0.2; exit 5"))
		var got []sdk.EventType
		for event := range events {
			if event.ID != id || event.Resource != "job" || event.Name != s.project+".job" || event.Time.IsZero() {
				t.Errorf("got %+v", event)
			}
			got = append(got, event.Type)
			if event.Type == sdk.EventExited {
				if event.ExitCode != 5 {
					t.Errorf("exit code %d", event.ExitCode)
				}
				must(t, s.Remove(t.Context(), id))
			}
			if event.Type == sdk.EventRemoved {
				break
			}
		}
		if want := []sdk.EventType{sdk.EventStarted, sdk.EventExited, sdk.EventRemoved}; !slices.Equal(got, want) {
			t.Errorf("got %v", got)
		}
	})
}

func TestEventsOfAContainerThatWasThereBefore(t *testing.T) {
	onEngines(t, func(t *testing.T, s *stage) {
		id := s.start(t, s.spec("web"))
		other := newStage(t, s.program) // knows nothing of the container
		events, err := other.Watch(t.Context(), s.project, time.Time{})
		must(t, err)
		must(t, s.Stop(t.Context(), id, 5*time.Second))
		for event := range events {
			if event.Type == sdk.EventStarted {
				continue // podman's and docker's may reach back to it
			}
			if event.Type != sdk.EventExited || event.ID != id || event.Resource != "web" || event.ExitCode != 0 {
				t.Errorf("got %+v", event)
			}
			break
		}
	})
}

func TestAPausedContainerStops(t *testing.T) {
	onEngines(t, func(t *testing.T, s *stage) {
		id := s.start(t, s.spec("web"))
		_, err := s.run(t.Context(), call{op: "pause", args: []string{"pause", id}})
		must(t, err)
		state, err := s.Inspect(t.Context(), id)
		must(t, err)
		if state.Status != sdk.StatusPaused {
			t.Errorf("status %s", state.Status)
		}
		must(t, s.Stop(t.Context(), id, 5*time.Second))
		if state := s.await(t, id, func(state sdk.State) bool { return state.Ended() }); *state.ExitCode != 0 {
			t.Errorf("exit code %d", *state.ExitCode)
		}
	})
}

// L12: a short grace is rounded up, so the container may end by itself.
func TestL12ShortGracesAreRoundedUp(t *testing.T) {
	onEngines(t, func(t *testing.T, s *stage) {
		id := s.start(t, s.script("slow", "trap 'sleep 0.3; exit 9' TERM; echo ready; while :; do sleep 0.05; done"))
		_, err := s.WaitHealthy(t.Context(), id, &sdk.Healthcheck{Log: &sdk.LogCheck{Pattern: "ready"}})
		must(t, err)
		must(t, s.Stop(t.Context(), id, time.Millisecond))
		if state := s.await(t, id, func(state sdk.State) bool { return state.Ended() }); *state.ExitCode != 9 {
			t.Errorf("exit code %d", *state.ExitCode)
		}
	})
}

func TestStopSignalAndKill(t *testing.T) {
	onEngines(t, func(t *testing.T, s *stage) {
		spec := s.script("int", "trap 'exit 8' INT; echo ready; while :; do sleep 0.05; done")
		spec.Stop.Signal = "SIGINT"
		id := s.start(t, spec)
		_, err := s.WaitHealthy(t.Context(), id, &sdk.Healthcheck{Log: &sdk.LogCheck{Pattern: "ready"}})
		must(t, err)
		must(t, s.Stop(t.Context(), id, 5*time.Second))
		if state := s.await(t, id, func(state sdk.State) bool { return state.Ended() }); *state.ExitCode != 8 {
			t.Errorf("exit code %d", *state.ExitCode)
		}
		id = s.start(t, s.script("deaf", "trap '' TERM; while :; do sleep 0.05; done"))
		must(t, s.Stop(t.Context(), id, 0))
		if state := s.await(t, id, func(state sdk.State) bool { return state.Ended() }); *state.ExitCode != 137 {
			t.Errorf("exit code %d", *state.ExitCode)
		}
	})
}

func TestLabelsAndLimits(t *testing.T) {
	onEngines(t, func(t *testing.T, s *stage) {
		spec := s.script("lim", "cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null; hostname; id -u")
		spec.Limits = sdk.Limits{NanoCPUs: 500_000_000, MemoryBytes: 64 << 20, PIDs: 50}
		spec.Hostname, spec.User = "my-host", "1000:1000"
		maps.Copy(spec.Labels, map[string]string{"a.b/c": "x=y, \"z\"\nsecond"})
		id := s.finished(t, spec)
		state, err := s.Inspect(t.Context(), id)
		must(t, err)
		for name, value := range spec.Labels {
			if got, ok := state.Labels[name]; !ok || got != value {
				t.Errorf("label %s: %q", name, got)
			}
		}
		var out bytes.Buffer
		must(t, s.Logs(t.Context(), id, sdk.LogOptions{Tail: -1}, func(e sdk.LogEntry) error { out.Write(e.Data); return nil }))
		if out.String() != "50\nmy-host\n1000\n" {
			t.Errorf("got %q", out.String())
		}
	})
}

func TestManyAtATime(t *testing.T) {
	onEngines(t, func(t *testing.T, s *stage) {
		const count = 8
		errs := make(chan error, count)
		for i := range count {
			go func() {
				id, err := s.Start(t.Context(), s.spec("r"+string(rune('a'+i))))
				if err == nil {
					_, err = s.WaitHealthy(t.Context(), id, check("/tiny", "get"))
				}
				errs <- err
			}()
		}
		for range count {
			must(t, <-errs)
		}
		states, err := s.List(t.Context(), s.project)
		must(t, err)
		if len(states) != count {
			t.Errorf("%d containers", len(states))
		}
		for _, state := range states {
			go func() {
				err := s.Stop(t.Context(), state.ID, 5*time.Second)
				errs <- errors.Join(err, s.Remove(t.Context(), state.ID))
			}()
		}
		for range states {
			must(t, <-errs)
		}
		if left := s.left(t); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
	})
}

// A container reaches a program of the machine by the name that stands for it.
func TestAContainerReachesTheMachine(t *testing.T) {
	listener, err := net.Listen("tcp", ":0")
	must(t, err)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("here")) })}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	_, port, err := net.SplitHostPort(listener.Addr().String())
	must(t, err)
	onEngines(t, func(t *testing.T, s *stage) {
		_, err := s.EnsureNetwork(t.Context(), s.network())
		must(t, err)
		for name, network := range map[string]string{"own": s.network().Name, "default": ""} {
			spec := s.script(name, "wget -q -O - http://machine.test:"+port+"/")
			spec.Network, spec.ExtraHosts = network, []string{"machine.test:host-gateway", "other.test:203.0.113.7"}
			must(t, s.Validate(t.Context(), spec))
			id := s.finished(t, spec)
			var out strings.Builder
			must(t, s.Logs(t.Context(), id, sdk.LogOptions{Tail: -1}, func(e sdk.LogEntry) error {
				out.Write(e.Data)
				return nil
			}))
			if out.String() != "here" {
				t.Errorf("on the %s network it got %q", name, out.String())
			}
		}
	})
}
