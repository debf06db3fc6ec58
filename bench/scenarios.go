package main

import (
	"fmt"
	"os"
)

// scenarios in the order in which they run.
var scenarios = []struct {
	name string
	run  func(options, *report) error
}{
	{"process", process},
	{"one", func(o options, r *report) error { return upAndDown(o, r, flat(1), limits{}) }},
	{"flat", func(o options, r *report) error {
		return upAndDown(o, r, flat(20), limits{compose: 0.80, floor: 1.15, down: 1.2, memory: 1.0})
	}},
	{"levels", func(o options, r *report) error {
		return upAndDown(o, r, levels(5, 4), limits{compose: 0.45, floor: 1.15})
	}},
	{"postgres", func(o options, r *report) error {
		return upAndDown(o, r, postgresAndApp(), limits{compose: 0.60, floor: 1.10})
	}},
	{"ps", ps},
	{"gate", gate},
	{"scheduler", scheduler},
}

func stacks() []stack {
	return []stack{flat(1), flat(20), levels(5, 4), postgresAndApp()}
}

// limits are the most that ratios may be; 0 is no limit.
type limits struct{ compose, floor, down, memory float64 }

// upAndDown has each subject bring the stack up and down in turn.
func upAndDown(o options, r *report, s stack, most limits) error {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	manifest, compose, err := s.write(dir)
	if err != nil {
		return err
	}
	all := subjects(o)
	up, down, memory := map[string]series{}, map[string]series{}, map[string]series{}
	for round := range o.rounds + 1 {
		for _, subject := range all {
			figures, err := subject.run(s, manifest, compose)
			if err != nil {
				return err
			}
			if err := nothingLeft(); err != nil {
				return fmt.Errorf("after %s: %w", subject.name, err)
			}
			if round == 0 {
				continue // the warm-up
			}
			up[subject.name] = append(up[subject.name], milliseconds(figures.up))
			down[subject.name] = append(down[subject.name], milliseconds(figures.down))
			memory[subject.name] = append(memory[subject.name], float64(figures.memory)/1e6)
		}
	}
	for _, subject := range all {
		r.figure(s.Name+" up", subject.name, "ms", up[subject.name])
	}
	for _, subject := range all {
		r.figure(s.Name+" down", subject.name, "ms", down[subject.name])
	}
	for _, subject := range all {
		r.figure(s.Name+" peak memory", subject.name, "MB", memory[subject.name])
	}
	const us, them, best = "lightshuttle", "compose", "floor"
	targets := []struct {
		what        string
		value, most float64
	}{
		{"up ÷ compose", up[us].ratio(up[them]), most.compose},
		{"up ÷ floor", up[us].ratio(up[best]), most.floor},
		{"down ÷ floor", down[us].ratio(down[best]), most.down},
		{"memory ÷ compose", memory[us].ratio(memory[them]), most.memory},
	}
	for _, t := range targets {
		if t.most > 0 {
			r.target(s.Name+" "+t.what, t.value, t.most)
		}
	}
	return nil
}
