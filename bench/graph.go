package main

import (
	"context"
	"fmt"
	"time"

	"github.com/lightshuttle/lightshuttle/host/plan"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// width is the number of resources of a level of the scheduler's graph.
const width = 20

// needs are the dependencies of a resource: two of the level before.
func needs(i int) []int {
	if i < width {
		return nil
	}
	before := i - i%width - width // the first of the level before
	return []int{before + i%width, before + (i+1)%width}
}

func bigPlan(size int) *plan.Plan {
	p := &plan.Plan{Project: "bench", Steps: make([]plan.Step, size)}
	for i := range p.Steps {
		name := resourceName(i)
		p.Steps[i] = plan.Step{
			Resource: name, Kind: "container", Action: plan.Create,
			Spec: &sdk.Spec{Project: "bench", Resource: name, Name: "bench." + name},
		}
		for _, need := range needs(i) {
			p.Steps[i].DependsOn = append(p.Steps[i].DependsOn, plan.Dependency{Resource: resourceName(need), Condition: plan.Ready})
		}
	}
	return p
}

func resourceName(i int) string { return fmt.Sprintf("r%d", i) }

// idle is a runtime whose containers are there and ready at once.
type idle struct{}

func (idle) Start(_ context.Context, spec sdk.Spec) (string, error) { return spec.Name, nil }
func (idle) Stop(context.Context, string, time.Duration) error      { return nil }
func (idle) WaitHealthy(_ context.Context, id string, _ *sdk.Healthcheck) (sdk.State, error) {
	return sdk.State{ID: id, Status: sdk.StatusRunning, Health: sdk.HealthNone}, nil
}
