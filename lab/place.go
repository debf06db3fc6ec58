package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/docker/docker/api/types/container"
)

const (
	// patience is when a program counts as stuck. It is far above what anything
	// takes, since it is there to tell stuck from slow.
	patience = 90 * time.Second
	// settling bounds the wait for an engine to end what it was asked for by
	// somebody who has gone.
	settling = 20 * time.Second
)

// place is a project of its own, with the small stack, a proxy and a home.
type place struct {
	project string
	dir     string
	engine  *engine
	proxy   *proxy
	// program talks to the engine through the proxy.
	program program
	// notes say what happened, for who has to find out why.
	notes []string
}

func newPlace(root, binary, project string, e *engine) (*place, error) {
	p, err := newDirectPlace(root, binary, project, e)
	if err != nil {
		return nil, err
	}
	if err := writeSmall(p.program.dir, project); err != nil {
		return nil, err
	}
	address := filepath.Join(p.dir, "proxy.sock")
	if p.proxy, err = newProxy(address, e.socket, project); err != nil {
		return nil, err
	}
	p.program.host = "unix://" + address
	// Short, so that a hang doesn't cost the default; long enough for an engine
	// that is busy with others.
	p.program.patience = 5 * time.Second
	return p, nil
}

// newDirectPlace is a place without a proxy, and with no manifest yet.
func newDirectPlace(root, binary, project string, e *engine) (*place, error) {
	p := &place{project: project, dir: filepath.Join(root, project), engine: e}
	p.program = program{path: binary, dir: filepath.Join(p.dir, "stack"), home: filepath.Join(p.dir, "home"), host: "unix://" + e.socket, inside: e.inside}
	for _, dir := range []string{p.program.dir, p.program.home} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// close removes all that is left of the project.
func (p *place) close(ctx context.Context) error {
	anonymous := p.anonymous()
	if p.proxy != nil {
		p.proxy.close()
	}
	return errors.Join(p.engine.sweep(ctx, p.project, anonymous), os.RemoveAll(p.dir))
}

// anonymous are the anonymous volumes of the project, as far as they are known.
func (p *place) anonymous() []string {
	if p.proxy == nil {
		return nil
	}
	return p.proxy.anonymous()
}

func (p *place) note(format string, args ...any) {
	p.notes = append(p.notes, time.Now().UTC().Format("15:04:05.000 ")+fmt.Sprintf(format, args...))
}

// noteRun keeps what a run said.
func (p *place) noteRun(what string, r *run) {
	p.note("%s ended: %s", what, r.command.ProcessState)
	for _, e := range r.seen() {
		p.notes = append(p.notes, "  "+e.Time.UTC().Format("15:04:05.000 ")+e.String())
	}
	for _, line := range strings.Split(strings.TrimSpace(r.stderr.String()), "\n") {
		p.notes = append(p.notes, "  | "+line)
	}
}

// noteCalls keeps what was asked of the engine.
func (p *place) noteCalls() {
	for _, c := range p.proxy.seen() {
		p.notes = append(p.notes, "  "+c.String())
	}
}

// leaks are what is left of the project.
func (p *place) leaks(ctx context.Context) ([]string, error) {
	return p.engine.leaks(ctx, p.project, p.anonymous())
}

// up brings the stack up without a fault.
func (p *place) up() (*run, error) {
	r, err := p.program.begin(nil, "up", "--json")
	if err != nil {
		return nil, err
	}
	started, err := r.await(patience, isStarted)
	if err == nil && !started {
		err = errors.New("it ended before the stack was up")
	}
	if err != nil {
		r.kill()
		p.noteRun("up", r)
		return nil, fmt.Errorf("up without a fault: %w", err)
	}
	return r, nil
}

// upAndDown is what must always be possible: up, and then down without the
// program that is up. Where nothing was being stopped, it is also looked whether
// what ran as it was wanted was left alone.
func (p *place) upAndDown(ctx context.Context, stopping bool) []string {
	before, err := p.resting(ctx)
	if err != nil {
		return []string{err.Error()}
	}
	r, err := p.up()
	if err != nil {
		return []string{"the second " + err.Error()}
	}
	var problems []string
	if !stopping {
		problems = p.adopted(ctx, before)
	}
	r.kill()
	return append(problems, p.down(ctx)...)
}

// down takes everything down and looks that nothing is left.
func (p *place) down(ctx context.Context) []string {
	r, code, err := p.program.once("down")
	if err != nil || code != 0 {
		p.noteRun("down", r)
		return []string{fmt.Sprintf("down without a fault ended with code %d, %v", code, err)}
	}
	left, err := p.leaks(ctx)
	if err != nil {
		return []string{err.Error()}
	}
	if len(left) > 0 {
		p.noteRun("down", r)
		return []string{"LEAK after down: " + strings.Join(left, ", ")}
	}
	return nil
}

// resting returns the containers when two looks in a row find the same.
func (p *place) resting(ctx context.Context) ([]container.Summary, error) {
	ctx, cancel := context.WithTimeout(ctx, settling)
	defer cancel()
	tick := time.NewTicker(150 * time.Millisecond)
	defer tick.Stop()
	var last []container.Summary
	for first := true; ; first = false {
		seen, err := p.engine.containers(ctx, p.project)
		if err != nil {
			return nil, err
		}
		if !first && slices.EqualFunc(last, seen, same) {
			return seen, nil
		}
		last = seen
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, fmt.Errorf("the engine doesn't come to rest: %w", ctx.Err())
		}
	}
}

func same(x, y container.Summary) bool { return x.ID == y.ID && x.State == y.State }

// adopted says which of the containers that ran before were exchanged for no
// reason (L19).
func (p *place) adopted(ctx context.Context, before []container.Summary) []string {
	after, err := p.engine.containers(ctx, p.project)
	if err != nil {
		return []string{err.Error()}
	}
	var problems []string
	for _, c := range before {
		if c.State != "running" || slices.ContainsFunc(after, func(a container.Summary) bool { return a.ID == c.ID }) {
			continue
		}
		problems = append(problems, fmt.Sprintf("%s ran as it was wanted, and was exchanged", resourceOf(c)))
	}
	return problems
}

// psRow is what is looked at of a line of ps.
type psRow struct {
	Resource string `json:"resource"`
	State    string `json:"state"`
	ID       string `json:"id"`
}

// psTellsTheTruth compares ps with what the engine says before and after it:
// while the engine is at work, there is more than one truth.
func (p *place) psTellsTheTruth(ctx context.Context) []string {
	ctx, cancel := context.WithTimeout(ctx, settling)
	defer cancel()
	for {
		before, err := p.resting(ctx)
		if err != nil {
			return []string{err.Error()}
		}
		r, code, err := p.program.once("ps", "--json")
		if err != nil || code != 0 {
			p.noteRun("ps", r)
			return []string{fmt.Sprintf("ps ended with code %d, %v", code, err)}
		}
		var rows []psRow
		if err := json.Unmarshal(r.stdout.Bytes(), &rows); err != nil {
			return []string{"ps: " + err.Error()}
		}
		after, err := p.engine.containers(ctx, p.project)
		if err != nil {
			return []string{err.Error()}
		}
		if slices.EqualFunc(before, after, same) {
			return differences(after, rows)
		}
	}
}

// differences says in what ps and the engine differ.
func differences(seen []container.Summary, rows []psRow) []string {
	var want, got []string
	for _, c := range seen {
		want = append(want, fmt.Sprintf("%s %s %.12s", resourceOf(c), c.State, c.ID))
	}
	for _, row := range rows {
		if row.State == "stopped" {
			row.State = container.StateExited // it says who has ended it, too
		}
		if row.ID != "" {
			got = append(got, fmt.Sprintf("%s %s %.12s", row.Resource, row.State, row.ID))
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if slices.Equal(want, got) {
		return nil
	}
	return []string{fmt.Sprintf("ps says %q, the engine %q", got, want)}
}

// stop ends an up as Ctrl-C does.
func (p *place) stop(r *run) (int, error) {
	r.signal(syscall.SIGINT)
	return r.wait()
}
