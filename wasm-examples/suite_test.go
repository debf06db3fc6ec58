//go:build conformance

package examples

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/lightshuttle/lightshuttle/host/machine"
	"github.com/lightshuttle/lightshuttle/plugins/nerdctl"
	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/conformance"
)

const (
	workload        = "lightshuttle-test/tiny:5"
	checkedWorkload = "lightshuttle-test/tinyhc:5"
)

// engines are the programs of real engines; `make engines` puts them there.
var engines = map[string]string{
	"nerdctl": cmp.Or(os.Getenv("LIGHTSHUTTLE_TEST_NERDCTL"), "/var/lib/lightshuttle-engines/bin/nerdctl"),
	"podman":  cmp.Or(os.Getenv("LIGHTSHUTTLE_TEST_PODMAN"), "/var/lib/lightshuttle-engines/bin/podman"),
	"docker":  "/usr/bin/docker",
}

// lasting is how long containers of an engine stay after their last words.
// nerdctl's logger loses what is printed right before the end.
var lasting = map[string]time.Duration{"nerdctl": 500 * time.Millisecond}

// passes runs the suite on a runtime. outside is a built-in runtime for the same
// engine, which looks at what the other has done.
func passes(t *testing.T, name, engine string, runtime sdk.Runtime, level conformance.Level, outside *nerdctl.Runtime, pause func(ctx context.Context, id, verb string) error, exclusions map[string]string) {
	t.Helper()
	ground := sdk.Network{Name: "g" + strings.ToLower(rand.Text()[:10])}
	ground.Project = ground.Name
	if _, err := outside.EnsureNetwork(t.Context(), ground); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { outside.RemoveNetwork(context.WithoutCancel(t.Context()), ground) })
	of := func(image string) func(args ...string) sdk.Spec {
		return func(args ...string) sdk.Spec { return sdk.Spec{Image: image, Command: args, Network: ground.Name} }
	}
	conformance.Test(t, conformance.Target{
		Name: name, Runtime: runtime, Level: level,
		Workload: of(workload), Checked: of(checkedWorkload), Program: []string{"/tiny"},
		Lasting:     lasting[engine],
		AbsentImage: "lightshuttle-test/none:1", Exclusions: exclusions,
		Timeout: 5 * time.Minute, // a busy machine is no failure
		Outside: conformance.Outside{
			Leftovers: func(ctx context.Context, project string) ([]string, error) {
				var left []string
				states, err := outside.List(ctx, project)
				for _, state := range states {
					left = append(left, "container "+state.Name)
				}
				volumes, volumesErr := outside.ListVolumes(ctx, project)
				for _, volume := range volumes {
					left = append(left, "volume "+volume.Name)
				}
				return left, errors.Join(err, volumesErr)
			},
			Pause:   func(ctx context.Context, id string) error { return pause(ctx, id, "pause") },
			Unpause: func(ctx context.Context, id string) error { return pause(ctx, id, "unpause") },
		},
	})
}

// beside opens the built-in runtime for the engine of that name.
func beside(t *testing.T, engine string) (*nerdctl.Runtime, func(ctx context.Context, id, verb string) error) {
	t.Helper()
	host := machine.New(machine.Options{Pass: []string{"DOCKER_*", "NERDCTL_*", "CONTAINER*", "XDG_*"}})
	runtime, err := nerdctl.Open(nerdctl.Options{Program: engines[engine], Dialect: engine, Host: host})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		runtime.Close()
		host.Close()
	})
	if _, err := runtime.Ping(t.Context()); err != nil {
		t.Fatalf("these tests need the engines: run `make engines` (%v)", err)
	}
	return runtime, func(ctx context.Context, id, verb string) error {
		return exec.CommandContext(ctx, engines[engine], verb, id).Run()
	}
}
