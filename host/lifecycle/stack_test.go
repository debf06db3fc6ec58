package lifecycle

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/lightshuttle/lightshuttle/host/plan"
	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/fake"
)

// aCheck is a healthcheck that the fake passes after its WaitHealthy phase.
var aCheck = &sdk.Healthcheck{
	Test: []string{"true"}, Interval: sdk.Duration(time.Second), Timeout: sdk.Duration(time.Second), Retries: 3,
}

// stackOf makes a plan from lines such as "app < db cache:completed": app
// depends on db being ready and cache having completed.
func stackOf(lines ...string) *plan.Plan {
	p := &plan.Plan{
		Project: "test",
		Network: &plan.NetworkStep{Action: plan.Create, Network: sdk.Network{Name: "lightshuttle-test", Project: "test"}},
	}
	for _, line := range lines {
		name, dependencies, _ := strings.Cut(line, "<")
		name = strings.TrimSpace(name)
		step := plan.Step{
			Resource: name, Kind: "container", Action: plan.Create, Reason: "it isn't there",
			Spec: &sdk.Spec{
				Project: "test", Resource: name, Name: "test." + name, Image: "image:1", Network: "lightshuttle-test",
				Labels: map[string]string{sdk.LabelProject: "test", sdk.LabelResource: name},
			},
		}
		for _, dependency := range strings.Fields(dependencies) {
			on, condition, given := strings.Cut(dependency, ":")
			if !given {
				condition = string(plan.Ready)
			}
			step.DependsOn = append(step.DependsOn, plan.Dependency{Resource: on, Condition: plan.Condition(condition)})
		}
		p.Steps = append(p.Steps, step)
	}
	for i := range p.Steps {
		for _, step := range p.Steps {
			for _, dependency := range step.DependsOn {
				if dependency.Resource == p.Steps[i].Resource && dependency.Condition == plan.Completed {
					p.Steps[i].Completes = true
				}
			}
		}
	}
	return p
}

// checked gives resources a healthcheck.
func checked(p *plan.Plan, names ...string) *plan.Plan {
	for _, name := range names {
		stepOf(p, name).Spec.Healthcheck = aCheck
	}
	return p
}

func stepOf(p *plan.Plan, name string) *plan.Step {
	for i := range p.Steps {
		if p.Steps[i].Resource == name {
			return &p.Steps[i]
		}
	}
	panic("no step " + name)
}

type scripts = map[string]fake.Script

// newManager returns a manager that is closed with the test. It is for use
// inside a synctest bubble.
func newManager(t testing.TB, p *plan.Plan, runtime sdk.Runtime, options Options) *Manager {
	t.Helper()
	m, err := New(p, runtime, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

// eventsOf returns what happened so far, as "resource_started db".
func eventsOf(m *Manager) []string {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var lines []string
	for event := range m.Events().Since(ctx, 0) {
		lines = append(lines, strings.TrimSpace(string(event.Type)+" "+event.Resource))
	}
	return lines
}

func stateOf(t testing.TB, m *Manager, name string) Resource {
	t.Helper()
	for _, r := range m.Snapshot() {
		if r.Name == name {
			return r
		}
	}
	t.Fatalf("no resource %s in the snapshot", name)
	return Resource{}
}

func wantNothingLeft(t testing.TB, runtime *fake.Runtime) {
	t.Helper()
	if left := runtime.Left(); len(left) > 0 {
		t.Errorf("left behind: %s", strings.Join(left, ", "))
	}
}
