package main

import (
	"context"
	"fmt"

	"github.com/lightshuttle/lightshuttle/host/plan"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// handOver says which resources nobody will restart once the program has left,
// because their runtime can't do it by itself, and takes their policy away.
func (a *app) handOver(ctx context.Context, runtime sdk.Runtime, p *plan.Plan) {
	for i := range p.Steps {
		step := &p.Steps[i]
		policy := step.Restart.Mode
		if step.Spec == nil || policy == "" || policy == sdk.RestartNo {
			continue
		}
		spec := *step.Spec
		spec.Restart = step.Restart
		if restartsByItself(ctx, runtime, spec) {
			continue
		}
		step.Restart = sdk.RestartPolicy{}
		fmt.Fprintf(a.stderr, "%s: its runtime can't restart it by itself, so without `up` nothing does (restart: %s)\n", step.Resource, policy)
	}
}

func restartsByItself(ctx context.Context, runtime sdk.Runtime, spec sdk.Spec) bool {
	if validator, ok := runtime.(sdk.Validator); ok {
		return !sdk.IsCode(validator.Validate(ctx, spec), sdk.CodeUnsupported)
	}
	_, ok := runtime.(sdk.Restarter)
	return ok
}
