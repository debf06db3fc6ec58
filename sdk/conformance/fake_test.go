package conformance

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/fake"
)

// fakeTarget is the engine in memory as a target.
func fakeTarget(engine *fake.Engine, runtime sdk.Runtime) Target {
	of := func(image string) func(args ...string) sdk.Spec {
		return func(args ...string) sdk.Spec { return sdk.Spec{Image: image, Command: args} }
	}
	pullable := 0
	return Target{
		Name: "fake", Runtime: runtime, Level: Full,
		Workload: of(fake.Image), Checked: of(fake.CheckedImage), Program: []string{fake.Program},
		AbsentImage: "fake/none:1", Buildable: true,
		Pullable: func(context.Context) (string, func(), error) {
			pullable++
			name := fmt.Sprintf("fake/pullable:%d", pullable)
			engine.Publish(name)
			return name, func() { engine.RemoveImage(name) }, nil
		},
		Outside: Outside{
			Leftovers:    func(_ context.Context, project string) ([]string, error) { return engine.Leftovers(project), nil },
			Volumes:      func(_ context.Context, id string) ([]string, error) { return engine.VolumesOf(id), nil },
			VolumeExists: func(_ context.Context, name string) (bool, error) { return engine.VolumeExists(name), nil },
			RemoveImage: func(_ context.Context, image string) error {
				engine.RemoveImage(image)
				return nil
			},
			Lose: func() func() {
				engine.LoseEvents()
				return func() {}
			},
			Pause: engine.Pause, Unpause: engine.Unpause,
		},
		Dial: engine.Dial, Output: 256 << 10, Parallel: 1,
	}
}

func textOf(t *testing.T, report Report) string {
	t.Helper()
	var text strings.Builder
	if err := report.WriteText(&text, false); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// The engine in memory keeps the whole contract, so that what fails on a broken
// one fails for being broken.
func TestFakePasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := fake.NewEngine()
		report, err := Run(t.Context(), fakeTarget(engine, engine), nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Log("\n" + textOf(t, report))
		if !report.Passed() || report.Count(NotOffered) > 0 || report.Count(Excluded) > 0 {
			t.Error("the fake doesn't pass")
		}
	})
}

func TestARunThatIsCutShortReportsWhatWasMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := fake.NewEngine()
		ctx, cancel := context.WithCancel(t.Context())
		report, err := Run(ctx, fakeTarget(engine, engine), func(result Result) {
			if result.Status == Passed {
				cancel()
			}
		})
		if !errors.Is(err, context.Canceled) || report.Count(Passed) != 1 || report.Count(Failed) != 0 {
			t.Errorf("%d passed, %d failed, %v; want the one that was made", report.Count(Passed), report.Count(Failed), err)
		}
	})
}
