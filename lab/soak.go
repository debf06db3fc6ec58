package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// soakOptions say how long, and how.
type soakOptions struct {
	length  time.Duration
	workers int
	seed    uint64
	out     io.Writer
	// lives has containers outlive a killed engine.
	lives bool
	// calm leaves the engine alone.
	calm bool
}

// soak is a run of random operations by several workers on one engine.
type soak struct {
	lab      *laboratory
	options  soakOptions
	bench    *bench
	features features
	// generation counts the engine's deaths and its returns: an odd one is a
	// time without an engine.
	generation atomic.Int64
	restarting sync.Mutex

	mu       sync.Mutex
	counts   map[string]int
	failures []string
}

// features are what the program can do, as its help says.
type features struct {
	// owner says that there is one owner per project, with a socket: up -d,
	// restart, stop, start, events.
	owner bool
}

func (l *laboratory) featuresOf() (features, error) {
	p := program{path: l.binary, dir: l.root, home: l.root}
	r, code, err := p.once("--help")
	if err != nil || code != 0 {
		return features{}, fmt.Errorf("--help ended with code %d, %w", code, err)
	}
	return features{owner: strings.Contains(r.stdout.String(), "\n  restart ")}, nil
}

// runSoak does random operations until the time is over, and returns an error
// if anything was lost, left or stuck.
func (l *laboratory) runSoak(ctx context.Context, options soakOptions) error {
	s := &soak{lab: l, options: options, counts: map[string]int{}}
	var err error
	if s.features, err = l.featuresOf(); err != nil {
		return err
	}
	if s.bench, err = l.newBench(ctx, 0, options.lives); err != nil {
		return err
	}
	fmt.Fprintf(options.out, "soak for %s, %d workers, seed %d; replay: lab soak -for %s -workers %d -seed %d\n",
		options.length, options.workers, options.seed, options.length, options.workers, options.seed)
	began := time.Now()
	timed, cancel := context.WithTimeout(ctx, options.length)
	defer cancel()
	var workers sync.WaitGroup
	for number := range options.workers {
		workers.Go(func() { s.work(ctx, timed, number) })
	}
	workers.Wait()
	s.lookForLeaks(context.WithoutCancel(ctx))
	s.report(time.Since(began))
	err = s.bench.close()
	if len(s.failures) > 0 {
		err = errors.Join(err, fmt.Errorf("%d failures", len(s.failures)))
	}
	return err
}

// lookForLeaks looks at the whole engine when all has ended.
func (s *soak) lookForLeaks(ctx context.Context) {
	left, err := s.bench.engine.allThatIsLeft(ctx)
	if err != nil || len(left) > 0 {
		s.fail("LEAK on the engine, after all has ended: %s, %v", strings.Join(left, ", "), err)
	}
}

func (s *soak) fail(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := fmt.Sprintf(format, args...)
	s.failures = append(s.failures, text)
	fmt.Fprintf(s.options.out, "FAILURE %s\n", text)
}

func (s *soak) log(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.options.out, time.Now().UTC().Format("15:04:05.000 ")+format+"\n", args...)
}

func (s *soak) count(operation string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[operation]++
}

// report prints the figures.
func (s *soak) report(took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	total := 0
	for name, n := range s.counts {
		names = append(names, name)
		total += n
	}
	slices.Sort(names)
	fmt.Fprintf(s.options.out, "\n| operation | times |\n|---|---:|\n")
	for _, name := range names {
		fmt.Fprintf(s.options.out, "| %s | %d |\n", name, s.counts[name])
	}
	fmt.Fprintf(s.options.out, "| **all** | %d |\n\n%s, %d workers, seed %d: %d failures\n", total, took.Round(time.Second), s.options.workers, s.options.seed, len(s.failures))
	if lost := s.bench.daemon.networksLost.Load(); lost > 0 {
		fmt.Fprintf(s.options.out, "the engine came back only without its networks: %d times\n", lost)
	}
	for _, failure := range s.failures {
		fmt.Fprintf(s.options.out, "- %s\n", strings.SplitN(failure, "\n", 2)[0])
	}
}

// restartEngine kills the engine, leaves everybody without one for a moment,
// and starts it again.
func (s *soak) restartEngine(ctx context.Context, pause time.Duration) error {
	s.restarting.Lock()
	defer s.restarting.Unlock()
	s.generation.Add(1)
	defer s.generation.Add(1)
	s.bench.daemon.kill()
	timer := time.NewTimer(pause)
	defer timer.Stop()
	<-timer.C
	return s.bench.daemon.start(ctx)
}

// work does one operation after the other.
func (s *soak) work(ctx, timed context.Context, number int) {
	dice := rand.New(rand.NewPCG(s.options.seed, uint64(number)))
	for timed.Err() == nil {
		w, err := s.newWorker(ctx, number, dice)
		if err != nil {
			s.fail("worker %d: %v", number, err)
			return
		}
		w.live(timed)
		if err := w.close(); err != nil {
			s.fail("worker %d can't tidy up: %v", number, err)
			return
		}
	}
}
