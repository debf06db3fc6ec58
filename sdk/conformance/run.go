package conformance

import (
	"context"
	"crypto/rand"
	"fmt"
	"path"
	"strings"
	"sync"
	"time"
)

// Run makes the checks and reports how they ended. observe, which may be nil,
// is told of each result as it comes, from several goroutines. It fails only
// when the target itself makes no sense, or ctx ends; then the report has the
// checks that were made by then.
func Run(ctx context.Context, target Target, observe func(Result)) (Report, error) {
	if observe == nil {
		observe = func(Result) {}
	}
	return runEach(ctx, target, func(_ string, run func() Result) { observe(run()) })
}

// runEach makes each check within around.
func runEach(ctx context.Context, target Target, around func(name string, run func() Result)) (Report, error) {
	target = target.withDefaults()
	if err := target.problem(); err != nil {
		return Report{}, err
	}
	checks, err := target.wanted()
	if err != nil {
		return Report{}, err
	}
	began := time.Now()
	run := strings.ToLower(rand.Text()[:6])
	results := make([]Result, len(checks))
	one := func(i int) {
		if ctx.Err() != nil {
			return
		}
		around(checks[i].name, func() Result {
			results[i] = examine(ctx, target, checks[i], fmt.Sprintf("lsc-%s-%d", run, i))
			return results[i]
		})
		if ctx.Err() != nil && results[i].Status == Failed {
			results[i] = Result{} // it was cut short, and says nothing
		}
	}
	places := make(chan struct{}, target.Parallel)
	var together sync.WaitGroup
	for i, c := range checks {
		if c.alone {
			continue
		}
		places <- struct{}{}
		together.Go(func() {
			defer func() { <-places }()
			one(i)
		})
	}
	together.Wait()
	for i, c := range checks {
		if c.alone {
			one(i)
		}
	}
	report := Report{Target: target.Name, Level: target.Level, Took: time.Since(began).Milliseconds()}
	for _, result := range results {
		if result.Check != "" {
			report.Results = append(report.Results, result)
		}
	}
	return report, ctx.Err()
}

// wanted are the checks that the target's Only names.
func (t Target) wanted() ([]check, error) {
	if len(t.Only) == 0 {
		return all(), nil
	}
	var wanted []check
	for _, c := range all() {
		for _, pattern := range t.Only {
			matches, err := path.Match(pattern, c.name)
			if err != nil {
				return nil, fmt.Errorf("the pattern %q: %w", pattern, err)
			}
			if matches {
				wanted = append(wanted, c)
				break
			}
		}
	}
	if len(wanted) == 0 {
		return nil, fmt.Errorf("no check is named like %s", strings.Join(t.Only, ", "))
	}
	return wanted, nil
}

// examine makes one check.
func examine(ctx context.Context, target Target, c check, project string) Result {
	result := Result{Check: c.name, Level: c.level, Promise: c.promise}
	if c.level > target.Level {
		result.Status = AboveLevel
		return result
	}
	if reason, ok := target.Exclusions[c.name]; ok {
		result.Status, result.Reason = Excluded, reason
		return result
	}
	if missing := c.missing(target); missing != "" {
		result.Status, result.Reason = NotOffered, "needs "+missing
		return result
	}
	began := time.Now()
	s := newStage(ctx, target, project)
	result.Status, result.Reason = s.play(c)
	result.Took = time.Since(began).Milliseconds()
	return result
}
