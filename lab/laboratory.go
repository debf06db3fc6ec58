package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"

	"github.com/docker/docker/client"
)

// laboratory holds what all trials share.
type laboratory struct {
	root string
	// binary is the program under test.
	binary string
	// machine is the engine that has the images; nothing else is done to it.
	machine *engine
	counter atomic.Int64
	prefix  string
}

// openLaboratory prepares a folder and the program; binary may be empty: then
// it is built.
func openLaboratory(ctx context.Context, binary string) (*laboratory, error) {
	root, err := os.MkdirTemp("", "lab") // short, since sockets are in it
	if err != nil {
		return nil, err
	}
	l := &laboratory{root: root, binary: binary, prefix: "lab"}
	if binary == "" {
		l.binary = filepath.Join(root, "lightshuttle")
		built, err := exec.CommandContext(ctx, "go", "build", "-o", l.binary, "github.com/lightshuttle/lightshuttle/cmd/lightshuttle").CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("go build: %w\n%s", err, built)
		}
	}
	api, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	if err != nil {
		return nil, err
	}
	l.machine = &engine{api: api}
	return l, nil
}

func (l *laboratory) close() error {
	l.machine.close()
	return os.RemoveAll(l.root)
}

// project is a name that no other trial has.
func (l *laboratory) project() string { return fmt.Sprintf("%s%d", l.prefix, l.counter.Add(1)) }

// bench is an engine of the laboratory's own, with the images on it.
type bench struct {
	daemon *daemon
	engine *engine
}

func (l *laboratory) newBench(ctx context.Context, number int, lives bool) (*bench, error) {
	d, err := startDaemon(ctx, l.root, number, lives)
	if err != nil {
		return nil, err
	}
	e, err := openEngine(d.socket())
	if err != nil {
		return nil, errors.Join(err, d.close())
	}
	e.inside = d.inside
	b := &bench{daemon: d, engine: e}
	if err := e.prepareImages(ctx, l.machine); err != nil {
		return nil, errors.Join(err, b.close())
	}
	return b, nil
}

func (b *bench) close() error {
	b.engine.close()
	return b.daemon.close()
}

// try tries one combination on a bench.
func (l *laboratory) try(ctx context.Context, b *bench, c combination) outcome {
	p, err := newPlace(l.root, l.binary, l.project(), b.engine)
	if err != nil {
		return outcome{combination: c, Problems: []string{err.Error()}}
	}
	t := &trial{ctx: ctx, place: p, daemon: b.daemon, outcome: outcome{combination: c}}
	t.try()
	if err := p.close(ctx); err != nil {
		t.problem("the laboratory can't tidy up: %v", err)
	}
	return t.outcome
}
