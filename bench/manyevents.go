package main

import (
	"context"
	"fmt"
	"iter"
	"runtime"

	"github.com/lightshuttle/lightshuttle/host/lifecycle"
	"github.com/lightshuttle/lightshuttle/host/plan"
	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/fake"
)

const (
	// eventsBefore fill the program's log of events, which keeps the last ones.
	eventsBefore = 5_000
	eventsMore   = 10_000
)

// manyEvents measures whether the memory of a supervisor grows with what
// happens: 20 resources on a runtime in memory are frozen and thawed, become
// unhealthy and healthy again, and are restarted.
func manyEvents(ctx context.Context, h *harness) error {
	ctx, cancel := context.WithTimeout(ctx, longestTurn)
	defer cancel()
	engine := fake.New(nil).WithoutRecord()
	manager, err := lifecycle.New(checkedPlan(20), engine, lifecycle.Options{})
	if err != nil {
		return err
	}
	defer manager.Close()
	if err := manager.Start(ctx); err != nil {
		return err
	}
	next, stop := iter.Pull(manager.Events().Since(ctx, 0))
	defer stop()
	p := provoker{ctx: ctx, manager: manager, engine: engine, next: next}
	if err := p.provoke(eventsBefore); err != nil {
		return err
	}
	runtime.GC()
	before, goroutines := inUse(), runtime.NumGoroutine()
	if err := p.provoke(eventsBefore + eventsMore); err != nil {
		return err
	}
	runtime.GC()
	grown := (float64(inUse()) - float64(before)) / 1024
	h.report.limit(fmt.Sprintf("memory over %d events, growth", eventsMore), grown, 100, "KiB")
	h.report.limit(fmt.Sprintf("goroutines over %d events, growth", eventsMore), float64(runtime.NumGoroutine()-goroutines), 2, "goroutines")
	return nil
}

// provoker lets things happen to the resources of a manager, one after the
// other.
type provoker struct {
	ctx     context.Context
	manager *lifecycle.Manager
	engine  *fake.Runtime
	next    func() (lifecycle.Event, bool)
	seen    uint64
	turn    int
}

// provoke goes on until so many events were told in all.
func (p *provoker) provoke(until uint64) error {
	for p.seen < until {
		name := fmt.Sprintf("r%d", p.turn%20)
		p.turn++
		p.engine.Pause(name)
		p.await(lifecycle.ResourcePaused, name)
		p.engine.Unpause(name)
		p.await(lifecycle.ResourceHealthy, name)
		p.engine.SetHealth(name, sdk.HealthUnhealthy)
		p.await(lifecycle.ResourceUnhealthy, name)
		p.engine.SetHealth(name, sdk.HealthHealthy)
		p.await(lifecycle.ResourceHealthy, name)
		if err := p.manager.Restart(p.ctx, name); err != nil {
			return err
		}
		p.await(lifecycle.ResourceHealthy, name)
		if p.ctx.Err() != nil {
			return fmt.Errorf("only %d of %d events: %w", p.seen, until, p.ctx.Err())
		}
	}
	return nil
}

// await reads events until that one came, or ctx has ended.
func (p *provoker) await(kind lifecycle.EventType, resource string) {
	for {
		event, ok := p.next()
		if !ok {
			return
		}
		p.seen = event.Seq
		if event.Type == kind && event.Resource == resource {
			return
		}
	}
}

// checkedPlan is size containers with a healthcheck, each of which needs the one
// before.
func checkedPlan(size int) *plan.Plan {
	p := &plan.Plan{Project: "events"}
	for i := range size {
		name := fmt.Sprintf("r%d", i)
		step := plan.Step{Resource: name, Action: plan.Create, Spec: &sdk.Spec{
			Project: p.Project, Resource: name, Name: name, Image: "image:1", Healthcheck: &sdk.Healthcheck{Test: []string{"true"}},
		}}
		if i > 0 {
			step.DependsOn = []plan.Dependency{{Resource: fmt.Sprintf("r%d", i-1), Condition: plan.Ready}}
		}
		p.Steps = append(p.Steps, step)
	}
	return p
}
