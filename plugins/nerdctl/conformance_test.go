package nerdctl

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/conformance"
)

const (
	workload        = "lightshuttle-test/tiny:5"
	checkedWorkload = "lightshuttle-test/tinyhc:5"
)

// exclusions are what an engine can't do, with its reason.
var exclusions = map[string]map[string]string{
	"nerdctl": {
		"inspect/image-id":    "nerdctl tells an image's name, but not its id",
		"inspect/label-empty": "nerdctl loses labels without a value",
		"logs/binary":         "nerdctl keeps logs as JSON text, in which it replaces bytes that aren't UTF-8",
		"spec/out-of-memory":  "nerdctl doesn't keep why a container was killed; the event tells it",
		"watch/since":         "containerd keeps no events",
		"restart/count":       "nerdctl counts no restarts, though there are",
		"watch/health":        "nerdctl 2.1.3 has no scheduler for healthchecks",
		"restart/stop":        "containerd's restart monitor may start again what is stopped while it looks around",
	},
	"podman": {
		"logs/much-followed":      "podman 4.3.1 itself loses lines of a followed log that grows fast",
		"spec/working-dir-absent": "podman refuses a working directory that the image doesn't have",
		"spec/out-of-memory":      "podman 4.3.1 doesn't see it in a cgroup of version 1",
		"watch/oom":               "podman 4.3.1 doesn't see it in a cgroup of version 1",
		"watch/health":            "podman needs systemd to make healthchecks",
	},
}

// lasting is how long containers stay after their last words. nerdctl's logger
// stops reading as soon as it hears of the container's end, so that what was
// printed right before is lost now and then on a busy machine.
var lasting = map[string]time.Duration{"nerdctl": 500 * time.Millisecond}

// TestConformance is the contract, on each engine.
func TestConformance(t *testing.T) {
	onEngines(t, func(t *testing.T, s *stage) {
		ground := s.network()
		_, err := s.EnsureNetwork(t.Context(), ground)
		must(t, err)
		of := func(image string) func(args ...string) sdk.Spec {
			return func(args ...string) sdk.Spec {
				return sdk.Spec{Image: image, Command: args, Network: ground.Name}
			}
		}
		conformance.Test(t, conformance.Target{
			Name: s.dialect.name, Runtime: s.Runtime, Level: conformance.Full,
			Workload: of(workload), Checked: of(checkedWorkload), Program: []string{"/tiny"},
			Lasting:     lasting[s.dialect.name],
			AbsentImage: "localhost/lightshuttle-test/none:1", Buildable: true, Pullable: pullables(t, s),
			Exclusions: exclusions[s.dialect.name],
			Outside:    outside(s),
		})
	}, "nerdctl", "podman")
}

// outside looks at the engine without the runtime's own methods.
func outside(s *stage) conformance.Outside {
	do := func(ctx context.Context, args ...string) ([]byte, error) {
		return s.run(ctx, call{op: "outside", args: args})
	}
	return conformance.Outside{
		Leftovers: func(ctx context.Context, project string) ([]string, error) {
			var left []string
			for kind, list := range map[string][]string{
				"container": {"ps", "--all", "--format", "{{.Names}}"}, "network": {"network", "ls", "--format", "{{.Name}}"},
			} {
				output, err := do(ctx, append(list, "--filter", "label="+sdk.LabelProject+"="+project)...)
				if err != nil {
					return nil, err
				}
				for _, name := range strings.Fields(string(output)) {
					left = append(left, kind+" "+name)
				}
			}
			slices.Sort(left)
			return left, nil
		},
		Volumes: func(ctx context.Context, id string) ([]string, error) {
			output, err := do(ctx, "inspect", "--type", "container", id)
			if err != nil {
				return nil, err
			}
			var seen []struct{ Mounts []struct{ Type, Name string } }
			if err := json.Unmarshal(output, &seen); err != nil {
				return nil, err
			}
			var names []string
			for _, one := range seen {
				for _, m := range one.Mounts {
					if m.Type == "volume" {
						names = append(names, m.Name)
					}
				}
			}
			return names, nil
		},
		VolumeExists: func(ctx context.Context, name string) (bool, error) {
			_, err := do(ctx, "volume", "inspect", name)
			if gone(err) {
				return false, nil
			}
			return err == nil, err
		},
		RemoveImage: func(ctx context.Context, ref string) error {
			_, err := do(ctx, "rmi", "--force", ref)
			return err
		},
		Pause: func(ctx context.Context, id string) error {
			_, err := do(ctx, "pause", id)
			return err
		},
		Unpause: func(ctx context.Context, id string) error {
			_, err := do(ctx, "unpause", id)
			return err
		},
	}
}
