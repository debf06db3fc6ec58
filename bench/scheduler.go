package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"

	"github.com/lightshuttle/lightshuttle/host/lifecycle"
)

// walker is the name of what the scheduler is compared with: a goroutine for
// each resource. In the report it stands as the floor.
const walker = best

// scheduler measures the scheduler alone, on a runtime that does nothing.
func scheduler(ctx context.Context, h *harness) error {
	sizes := []int{1_000, 10_000, 100_000}
	took := map[int]figures{}
	for _, size := range sizes {
		took[size] = figures{}
	}
	var kept, peak series
	for round := range h.runs + 1 {
		fmt.Fprintf(os.Stderr, "   round %d of %d\n", round, h.runs)
		for _, size := range sizes {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			ours, err := timeSchedule(ctx, size)
			if err != nil {
				return err
			}
			theirs := timeWalk(size)
			if round > 0 {
				took[size].add(us, each(ours, size))
				took[size].add(walker, each(theirs, size))
			}
		}
		most, after, err := memoryOfSchedule(ctx, sizes[len(sizes)-1])
		if err != nil {
			return err
		}
		if round > 0 {
			peak, kept = append(peak, most/1024), append(kept, after/1024)
		}
	}
	for _, size := range sizes {
		h.report.add(fmt.Sprintf("scheduler, %d resources", size), "µs each", took[size])
	}
	large := sizes[len(sizes)-1]
	h.report.add(fmt.Sprintf("scheduler, %d resources, kept", large), "KiB each", figures{us: kept})
	h.report.add(fmt.Sprintf("scheduler, %d resources, peak", large), "KiB each", figures{us: peak})
	h.report.compare("scheduler: each of 100,000 ÷ each of 1,000", took[large][us], took[sizes[0]][us], 1.5)
	h.report.compare("scheduler: ÷ bare walk, 100,000", took[large][us], took[large][walker], 6)
	h.report.limit("scheduler: memory of a resource, kept", kept.median(), 8, "KiB")
	h.report.limit("scheduler: memory of a resource, peak", peak.median(), 8, "KiB")
	return nil
}

// each is the microseconds for one resource.
func each(took time.Duration, size int) float64 {
	return float64(took.Nanoseconds()) / 1000 / float64(size)
}

// timeSchedule times a start from the plan to the moment in which all is ready.
func timeSchedule(ctx context.Context, size int) (time.Duration, error) {
	p := bigPlan(size)
	runtime.GC() // what was before isn't to be paid for here
	began := time.Now()
	manager, err := lifecycle.New(p, idle{}, lifecycle.Options{})
	if err != nil {
		return 0, err
	}
	defer manager.Close()
	if err := manager.Start(ctx); err != nil {
		return 0, err
	}
	return time.Since(began), nil
}

// timeWalk walks the same graph with a goroutine for each resource, which waits
// for those before it. It is what a scheduler without any state costs.
func timeWalk(size int) time.Duration {
	p := bigPlan(size)
	runtime.GC()
	began := time.Now()
	ready := make([]chan struct{}, size)
	for i := range ready {
		ready[i] = make(chan struct{})
	}
	var all sync.WaitGroup
	for i := range size {
		all.Go(func() {
			for _, need := range needs(i) {
				<-ready[need]
			}
			id, _ := idle{}.Start(context.Background(), *p.Steps[i].Spec)
			_, _ = idle{}.WaitHealthy(context.Background(), id, nil)
			close(ready[i])
		})
	}
	all.Wait()
	return time.Since(began)
}

// memoryOfSchedule returns the bytes for each resource, the plan not included:
// the most during the start, and those kept after it. Garbage hardly counts,
// because the collector is made to run often; so this start isn't timed.
func memoryOfSchedule(ctx context.Context, size int) (peak, kept float64, err error) {
	defer debug.SetGCPercent(debug.SetGCPercent(10))
	p := bigPlan(size)
	runtime.GC()
	before := inUse()
	stop := make(chan struct{})
	most := make(chan uint64)
	go func() { most <- watchMemory(stop) }()
	manager, err := lifecycle.New(p, idle{}, lifecycle.Options{})
	if err == nil {
		defer manager.Close()
		err = manager.Start(ctx)
	}
	close(stop)
	highest := <-most
	if err != nil {
		return 0, 0, err
	}
	runtime.GC()
	after := inUse()
	runtime.KeepAlive(p)
	return perResource(highest, before, size), perResource(after, before, size), nil
}

func perResource(after, before uint64, size int) float64 {
	return (float64(after) - float64(before)) / float64(size)
}

// watchMemory returns the most memory in use until stop.
func watchMemory(stop <-chan struct{}) uint64 {
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	most := inUse()
	for {
		select {
		case <-stop:
			return max(most, inUse())
		case <-ticker.C:
			most = max(most, inUse())
		}
	}
}

// inUse is the memory of objects and stacks, in bytes.
func inUse() uint64 {
	samples := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}
	metrics.Read(samples)
	var sum uint64
	for _, s := range samples {
		sum += s.Value.Uint64()
	}
	return sum
}
