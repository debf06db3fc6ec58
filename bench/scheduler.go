package main

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/lightshuttle/lightshuttle/host/lifecycle"
	"github.com/lightshuttle/lightshuttle/host/plan"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// scheduler measures the scheduler alone, on a runtime that does nothing.
func scheduler(o options, r *report) error {
	var small, big, walk, memory series
	for range o.rounds {
		s, _, err := schedule(1_000)
		if err != nil {
			return err
		}
		b, bytes, err := schedule(100_000)
		if err != nil {
			return err
		}
		small, big, memory = append(small, s), append(big, b), append(memory, bytes/1024)
		walk = append(walk, bareWalk(100_000))
	}
	middle, _, err := schedule(10_000)
	if err != nil {
		return err
	}
	r.figure("scheduler, 1,000", "lightshuttle", "µs each", small)
	r.figure("scheduler, 10,000", "lightshuttle", "µs each", series{middle})
	r.figure("scheduler, 100,000", "lightshuttle", "µs each", big)
	r.figure("scheduler, 100,000", "bare walk", "µs each", walk)
	r.target("scheduler: 100,000 ÷ 1,000, each", big.ratio(small), 1.5)
	r.target("scheduler: ÷ bare walk", big.ratio(walk), 6)
	r.target("scheduler: memory each, KiB", memory.median(), 8)
	return nil
}

const width = 20 // resources of a level; each needs two of the level before

func bigPlan(size int) *plan.Plan {
	p := &plan.Plan{Project: "bench", Steps: make([]plan.Step, size)}
	for i := range p.Steps {
		name := fmt.Sprintf("r%d", i)
		p.Steps[i] = plan.Step{Resource: name, Kind: "container", Action: plan.Create, Spec: &sdk.Spec{Project: "bench", Resource: name, Name: "bench." + name}}
		for _, need := range needs(i) {
			p.Steps[i].DependsOn = append(p.Steps[i].DependsOn, plan.Dependency{Resource: fmt.Sprintf("r%d", need), Condition: plan.Ready})
		}
	}
	return p
}

func needs(i int) []int {
	if i < width {
		return nil
	}
	return []int{i - width, i - width + 1 - width*((i+1)%width/width)}
}

// schedule returns the microseconds of a start and the bytes for each resource.
// The graph is built before, as it is for the bare walk.
func schedule(size int) (micros, bytes float64, err error) {
	p := bigPlan(size)
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	manager, err := lifecycle.New(p, idle{}, lifecycle.Options{})
	if err != nil {
		return 0, 0, err
	}
	defer manager.Close()
	began := time.Now()
	if err := manager.Start(context.Background()); err != nil {
		return 0, 0, err
	}
	took := time.Since(began)
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(p)
	return float64(took.Microseconds()) / float64(size), float64(after.HeapInuse+after.StackInuse-before.HeapInuse-before.StackInuse) / float64(size), nil
}

// idle is a runtime whose containers are there and ready at once.
type idle struct{}

func (idle) Start(_ context.Context, spec sdk.Spec) (string, error) { return spec.Name, nil }
func (idle) Stop(context.Context, string, time.Duration) error      { return nil }
func (idle) WaitHealthy(_ context.Context, id string, _ *sdk.Healthcheck) (sdk.State, error) {
	return sdk.State{ID: id, Status: sdk.StatusRunning, Health: sdk.HealthNone}, nil
}

// bareWalk walks the same graph with a goroutine for each resource, which waits
// for those before it. It is what a scheduler without any state costs.
func bareWalk(size int) float64 {
	ready := make([]chan struct{}, size)
	for i := range ready {
		ready[i] = make(chan struct{})
	}
	began := time.Now()
	var all sync.WaitGroup
	for i := range size {
		all.Go(func() {
			for _, need := range needs(i) {
				<-ready[need]
			}
			id, _ := idle{}.Start(context.Background(), sdk.Spec{})
			_, _ = idle{}.WaitHealthy(context.Background(), id, nil)
			close(ready[i])
		})
	}
	all.Wait()
	return float64(time.Since(began).Microseconds()) / float64(size)
}
