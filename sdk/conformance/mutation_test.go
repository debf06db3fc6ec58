package conformance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk/fake"
)

var errOops = errors.New("oops")

// mutation is an engine that breaks one promise, and the check that has to
// find it out.
type mutation struct {
	name  string
	check string
	with  broken
}

var mutations = slices.Concat(containerMutations, outputMutations, specMutations, watchMutations)

// short is a writer that drops what is too much.
type short struct {
	to   io.Writer
	left int
}

func (s *short) Write(p []byte) (int, error) {
	n := min(len(p), s.left)
	s.left -= n
	_, err := s.to.Write(p[:n])
	return len(p), err
}

func (b *broken) removeNamed(ctx context.Context, project, name string) {
	states, _ := b.Engine.List(ctx, project)
	for _, state := range states {
		if state.Name == name {
			_ = b.Engine.Remove(ctx, state.ID)
		}
	}
}

func (b *broken) pass(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// Each breach of the contract is caught, by the check that names it.
func TestMutationsAreCaught(t *testing.T) {
	var table strings.Builder
	for _, m := range mutations {
		t.Run(m.name, func(t *testing.T) {
			if !known(m.check) {
				t.Fatalf("there is no check %s", m.check)
			}
			var report Report
			synctest.Test(t, func(t *testing.T) { report = examineMutation(t, m) })
			var caught []string
			for _, failure := range report.Failures() {
				caught = append(caught, failure.Check)
			}
			if !slices.Contains(caught, m.check) {
				t.Errorf("%s didn't catch it; these failed: %v", m.check, caught)
			}
			fmt.Fprintf(&table, "%-52s %-26s and %d more\n", m.name, m.check, len(caught)-1)
		})
	}
	t.Logf("%d mutations\n%s", len(mutations), table.String())
}

func examineMutation(t *testing.T, m mutation) Report {
	engine := fake.NewEngine()
	runtime := m.with
	runtime.Engine, runtime.done = engine, make(chan struct{})
	target := fakeTarget(engine, &runtime)
	report, err := Run(t.Context(), target, nil)
	close(runtime.done)
	if err != nil {
		t.Fatal(err)
	}
	engine.Close()
	return report
}
