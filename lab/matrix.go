package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// matrixOptions say what is tried.
type matrixOptions struct {
	// sample is how many combinations are tried; 0 is all.
	sample int
	// seed decides which.
	seed uint64
	// workers is how many are tried at the same time.
	workers int
	// only is what the names of what is tried match; nil is all.
	only *regexp.Regexp
	// out gets a line for each, and all about those that went wrong.
	out io.Writer
	// verbose has all about the others too.
	verbose bool
}

// runMatrix tries the combinations, and returns what came of each.
func (l *laboratory) runMatrix(ctx context.Context, options matrixOptions) ([]outcome, error) {
	first, err := l.newBench(ctx, 0, false)
	if err != nil {
		return nil, err
	}
	seen, err := l.record(ctx, first)
	if err != nil {
		return nil, errors.Join(err, first.close())
	}
	chosen := choose(seen.combinations(), options)
	fmt.Fprintf(options.out, "%d calls of up, %d of down, %d events; %d combinations of %d, seed %d\n",
		len(seen.up), len(seen.down), seen.events, len(chosen), len(seen.combinations()), options.seed)
	m := &matrix{lab: l, options: options, todo: make(chan combination, len(chosen)), total: len(chosen)}
	for _, c := range chosen {
		m.todo <- c
	}
	close(m.todo)
	var workers sync.WaitGroup
	for number := range max(1, options.workers) {
		workers.Go(func() { m.work(ctx, first, number) })
	}
	workers.Wait()
	return m.outcomes, errors.Join(m.err, first.close())
}

// matrix is a run of the whole.
type matrix struct {
	lab     *laboratory
	options matrixOptions
	todo    chan combination
	total   int

	mu       sync.Mutex
	outcomes []outcome
	err      error
}

// work tries what is to be tried, until there is no more. What kills an engine
// gets one that no other worker uses.
func (m *matrix) work(ctx context.Context, shared *bench, number int) {
	own := map[bool]*bench{}
	defer func() {
		for _, b := range own {
			m.failed(b.close())
		}
	}()
	for c := range m.todo {
		if ctx.Err() != nil {
			m.failed(ctx.Err())
			return
		}
		b := shared
		if c.killsEngine() {
			lives := c.Kind == faultEngineLives
			if own[lives] == nil {
				fresh, err := m.lab.newBench(ctx, 1+2*number+len(own), lives)
				if err != nil {
					m.failed(err)
					return
				}
				own[lives] = fresh
			}
			b = own[lives]
		}
		began := time.Now()
		o := m.lab.try(ctx, b, c)
		if ctx.Err() != nil {
			m.failed(ctx.Err())
			return // what was broken off says nothing
		}
		m.done(o, time.Since(began))
	}
}

func (m *matrix) failed(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.err = errors.Join(m.err, err)
}

func (m *matrix) done(o outcome, took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.outcomes = append(m.outcomes, o)
	word := "survived"
	switch {
	case !o.survived():
		word = "FAILED"
	case !o.Reached:
		word = "not reached"
	case o.Reported:
		word = "survived, reported what was left"
	}
	fmt.Fprintf(m.options.out, "%d/%d %5.1f s  %s: %s\n", len(m.outcomes), m.total, took.Seconds(), o.combination, word)
	for _, problem := range o.Problems {
		fmt.Fprintf(m.options.out, "    %s\n", problem)
	}
	if !o.survived() || m.options.verbose {
		fmt.Fprintf(m.options.out, "      %s\n", strings.Join(o.Notes, "\n      "))
	}
}

// choose takes a sample that has all kinds of faults in it, as far as it is
// large enough: the first of each kind, and then the rest, in an order that the
// seed decides.
func choose(all []combination, options matrixOptions) []combination {
	all = slices.DeleteFunc(slices.Clone(all), func(c combination) bool { return options.only != nil && !options.only.MatchString(c.String()) })
	dice := rand.New(rand.NewPCG(options.seed, 0))
	dice.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	type column struct {
		scenario scenario
		kind     faultKind
	}
	had := map[column]bool{}
	var firsts, rest []combination
	for _, c := range all {
		at := column{c.Scenario, c.Kind}
		if had[at] {
			rest = append(rest, c)
			continue
		}
		had[at] = true
		firsts = append(firsts, c)
	}
	all = append(firsts, rest...)
	if options.sample <= 0 || options.sample >= len(all) {
		return all
	}
	return all[:options.sample]
}
