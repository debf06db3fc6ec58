package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// worker has one project and does things to it. What it knows of it is the
// model: whether an up watches over it, and what must be there.
type worker struct {
	*place
	soak   *soak
	ctx    context.Context
	number int
	dice   *rand.Rand
	stack  *soakStack
	// running is the stack that the last up was given.
	running *soakStack
	// owner is the up that watches over the stack, or nil.
	owner *run
	// generation is that of the engine when the present operation began.
	generation int64
	steps      int
	failed     bool
	// history are the operations so far, for who has to replay it.
	history []string
}

func (s *soak) newWorker(ctx context.Context, number int, dice *rand.Rand) (*worker, error) {
	p, err := newDirectPlace(s.lab.root, s.lab.binary, s.lab.project(), s.bench.engine)
	if err != nil {
		return nil, err
	}
	w := &worker{place: p, soak: s, ctx: ctx, number: number, dice: dice, stack: randomStack(dice)}
	return w, w.writeStack()
}

func (w *worker) writeStack() error { return w.stack.write(w.program.dir, w.project) }

func (w *worker) close() error {
	if w.owner != nil {
		w.owner.kill()
	}
	w.soak.restarting.Lock()
	defer w.soak.restarting.Unlock()
	return w.place.close(context.WithoutCancel(w.ctx))
}

// longestLife is how many operations one project lives.
const longestLife = 40

// live does operations until the time is over, or something was wrong.
func (w *worker) live(timed context.Context) {
	for timed.Err() == nil && !w.failed && w.steps < longestLife {
		w.step()
	}
	if w.failed {
		return
	}
	w.begin()
	if w.owner != nil {
		w.doInterrupt()
	}
	w.doDown()
}

func (w *worker) step() {
	var possible []operation
	total := 0
	for _, o := range w.operations() {
		if o.can == nil || o.can() {
			possible = append(possible, o)
			total += o.weight
		}
	}
	roll := w.dice.IntN(total)
	for _, o := range possible {
		roll -= o.weight
		if roll >= 0 {
			continue
		}
		w.steps++
		w.begin()
		began := time.Now()
		said := o.do()
		line := fmt.Sprintf("worker %d %s #%d %s: %s (%.1f s)", w.number, w.project, w.steps, o.name, said, time.Since(began).Seconds())
		w.soak.log("%s", line)
		w.history = append(w.history, line)
		w.soak.count(o.name)
		w.check()
		return
	}
}

// begin notes in what state the engine was.
func (w *worker) begin() { w.generation = w.soak.generation.Load() }

// disturbed says whether the engine was away meanwhile: then everything may
// fail, and must still end.
func (w *worker) disturbed() bool {
	return w.generation%2 == 1 || w.soak.generation.Load() != w.generation
}

// awaitEngine waits until nobody has the engine killed.
func (w *worker) awaitEngine() {
	w.soak.restarting.Lock()
	defer w.soak.restarting.Unlock()
}

func (w *worker) wrong(format string, args ...any) string {
	if w.failed {
		return "FAILED"
	}
	w.failed = true
	if w.ctx.Err() != nil {
		return "interrupted"
	}
	text := fmt.Sprintf(format, args...)
	if w.owner != nil {
		if !strings.HasPrefix(text, "STUCK") {
			w.owner.kill() // only of what is stuck is it worth knowing where
		}
		w.owner.dump()
		w.noteRun("the owner", w.owner)
	}
	seen, err := w.engine.containers(context.WithoutCancel(w.ctx), w.project)
	w.note("the engine has, %v:", err)
	for _, c := range seen {
		w.note("  %s %s %s", resourceOf(c), c.State, c.Status)
	}
	w.soak.fail("worker %d %s #%d: %s\n  %s\n  %s\n%s", w.number, w.project, w.steps, text,
		strings.Join(w.history, "\n  "), strings.Join(w.notes, "\n  "), w.stack.manifest(w.project))
	return "FAILED: " + text
}

// expect looks at how something ended: with code 0, or as an engine's failure
// where the engine was away.
func (w *worker) expect(what string, r *run, code int, err error) (ok bool) {
	switch {
	case err != nil:
		w.noteRun(what, r)
		w.wrong("STUCK: %s: %v", what, err)
		return false
	case code == 0:
		return true
	case w.disturbed() && slices.Contains(sensible, code):
		return false
	}
	w.noteRun(what, r)
	w.wrong("%s ended with code %d", what, code)
	return false
}
