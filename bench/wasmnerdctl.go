package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/lightshuttle/lightshuttle/host/lifecycle"
	"github.com/lightshuttle/lightshuttle/host/machine"
	"github.com/lightshuttle/lightshuttle/host/plan"
	"github.com/lightshuttle/lightshuttle/host/wasm"
	"github.com/lightshuttle/lightshuttle/plugins/nerdctl"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// pluginContainers is how many containers go up and down.
const pluginContainers = 20

// nerdctlProgram is where `make engines` puts nerdctl, unless the tests are told
// otherwise.
var nerdctlProgram = cmp.Or(os.Getenv("LIGHTSHUTTLE_TEST_NERDCTL"), "/var/lib/lightshuttle-engines/bin/nerdctl")

// nerdctlPass is the environment that nerdctl is given.
var nerdctlPass = []string{"NERDCTL_*", "CONTAINERD_*", "XDG_*", "CNI_*"}

// openRuntime opens a runtime, and returns what closes it.
type openRuntime func(ctx context.Context) (sdk.Runtime, func(), error)

// wasmNerdctl brings 20 containers up and down by nerdctl, through the built-in
// runtime and through the very same package as a plugin, which is loaded from the
// cache each time.
func wasmNerdctl(ctx context.Context, h *harness) error {
	binary, err := h.wasmModule(ctx, filepath.Join("wasm-examples", "nerdctl"))
	if err != nil {
		return err
	}
	subjects := map[string]openRuntime{
		asBuiltIn: func(context.Context) (sdk.Runtime, func(), error) {
			here := machine.New(machine.Options{Pass: nerdctlPass})
			r, err := nerdctl.Open(nerdctl.Options{Program: nerdctlProgram, Dialect: "nerdctl", Host: here})
			return r, func() { _ = here.Close() }, err
		},
		asPlugin: func(ctx context.Context) (sdk.Runtime, func(), error) {
			r, err := wasm.Open(ctx, binary, wasm.Options{
				CacheDir: filepath.Join(h.dir, "plugins"), Limits: wasm.Limits{Compile: longestTurn},
				Grants: wasm.Grants{Exec: []wasm.ExecGrant{{Program: "nerdctl", Path: nerdctlProgram, Env: []string{"*"}}}},
			})
			if err != nil {
				return nil, nil, err
			}
			return r, func() { _ = r.Close() }, nil
		},
	}
	took := figures{}
	for round := range h.runs + 1 {
		fmt.Fprintf(os.Stderr, "   round %d of %d\n", round, h.runs)
		// Each goes first in every other round.
		order := []string{asPlugin, asBuiltIn}
		if round%2 == 1 {
			order[0], order[1] = order[1], order[0]
		}
		for _, who := range order {
			one, err := timeContainers(ctx, subjects[who])
			if err != nil {
				return fmt.Errorf("%s: %w", who, err)
			}
			if round > 0 {
				took.add(who, milliseconds(one))
			}
		}
	}
	what := fmt.Sprintf("nerdctl: %d containers up and down", pluginContainers)
	h.report.addOf(what, "ms", took, asPlugin, asBuiltIn)
	h.report.compare(what+", plugin ÷ built in", took[asPlugin], took[asBuiltIn], 1.05)
	return nil
}

// timeContainers opens the runtime, brings the containers up and down, and makes
// sure that nothing is left.
func timeContainers(ctx context.Context, open openRuntime) (took time.Duration, err error) {
	project := "bench-" + strings.ToLower(rand.Text()[:8])
	p := &plan.Plan{Project: project}
	for i := range pluginContainers {
		name := fmt.Sprintf("c%02d", i)
		p.Steps = append(p.Steps, plan.Step{Resource: name, Action: plan.Create, Spec: &sdk.Spec{
			Project: project, Resource: name, Name: project + "." + name, Image: "lightshuttle-test/tiny:5", Command: []string{"serve"},
			Labels: map[string]string{sdk.LabelProject: project, sdk.LabelResource: name},
		}})
	}
	began := time.Now()
	r, shut, err := open(ctx)
	if err != nil {
		return 0, err
	}
	defer shut()
	manager, err := lifecycle.New(p, r, lifecycle.Options{})
	if err != nil {
		return 0, err
	}
	defer manager.Close()
	err = manager.Start(ctx)
	err = errors.Join(err, manager.Stop(context.WithoutCancel(ctx)))
	took = time.Since(began)
	left, sweepErr := sweepContainers(context.WithoutCancel(ctx), r, project)
	if err == nil && left > 0 {
		err = fmt.Errorf("%d containers were left", left)
	}
	return took, errors.Join(err, sweepErr)
}

// sweepContainers removes what is left of a project, and counts it.
func sweepContainers(ctx context.Context, r sdk.Runtime, project string) (int, error) {
	left, err := r.(sdk.Lister).List(ctx, project)
	for _, state := range left {
		err = errors.Join(err, r.(sdk.Remover).Remove(ctx, state.ID))
	}
	return len(left), err
}
