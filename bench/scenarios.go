package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
)

// scenario is a part of the run that can be chosen by its name.
type scenario struct {
	name string
	run  func(context.Context, *harness) error
}

// scenarios in the order in which they run.
func scenarios() []scenario {
	return []scenario{
		{"start", processStart},
		{"validate", validate},
		{"size", binarySize},
		upAndDown("one", flat(1), targets{}),
		upAndDown("flat", flat(20), targets{compose: 0.80, floor: 1.15, down: 1.2, memory: 1.0}),
		upAndDown("levels", fiveByFour(), targets{compose: 0.45, floor: 1.15, down: 1.2}),
		upAndDown("postgres", postgresAndApp(), targets{compose: 0.60, floor: 1.10}),
		{"ps", ps},
		{"again", again},
		{"watch", watch},
		{"idle", idleSupervision},
		{"events", manyEvents},
		{"gate", gate},
		{"scheduler", scheduler},
		{"processes", processes},
		{"nerdctl", throughNerdctl},
		{"podman", throughPodman},
		{"wasm-nerdctl", wasmNerdctl},
		{"wasm-call", wasmCall},
		{"wasm-warm", wasmWarm},
		{"wasm-logs", wasmLogs},
		{"wasm-memory", wasmMemory},
		{"wasm-hostile", wasmHostile},
	}
}

func scenarioNames() string {
	var names []string
	for _, s := range scenarios() {
		names = append(names, s.name)
	}
	return strings.Join(names, ", ")
}

// choose returns the scenarios with these names, or all.
func choose(names string) ([]scenario, error) {
	all := scenarios()
	if names == "" {
		return all, nil
	}
	wanted := strings.Split(names, ",")
	chosen := slices.DeleteFunc(all, func(s scenario) bool { return !slices.Contains(wanted, s.name) })
	if len(chosen) != len(wanted) {
		return nil, fmt.Errorf("-scenario %s: there are %s", names, scenarioNames())
	}
	return chosen, nil
}

// targets are the most that ratios may be, or none.
type targets struct{ compose, floor, down, memory float64 }

// upAndDown has each subject bring the stack up and down in turn.
func upAndDown(name string, s stack, most targets) scenario {
	return scenario{name, func(ctx context.Context, h *harness) error {
		files, err := s.write(h.dir, h.engine.prefix)
		if err != nil {
			return err
		}
		up, down, memory := figures{}, figures{}, figures{}
		err = h.turns(ctx, h.runs, func(who subject, counts bool) error {
			took, err := h.take(ctx, who, files, nil)
			if err != nil || !counts {
				return err
			}
			up.add(who.name, milliseconds(took.up))
			down.add(who.name, milliseconds(took.down))
			memory.add(who.name, megabytes(took.memory))
			return nil
		})
		if err != nil {
			return err
		}
		h.report.add(s.Name+" up", "ms", up)
		h.report.add(s.Name+" down", "ms", down)
		h.report.add(s.Name+" peak memory", "MB", memory)
		h.report.compare(s.Name+" up ÷ compose", up[us], up[rival], most.compose)
		h.report.compare(s.Name+" up ÷ floor", up[us], up[best], most.floor)
		h.report.compare(s.Name+" down ÷ compose", down[us], down[rival], none)
		h.report.compare(s.Name+" down ÷ floor", down[us], down[best], most.down)
		h.report.compare(s.Name+" peak memory ÷ compose", memory[us], memory[rival], most.memory)
		return nil
	}}
}

// turns lets the subjects take their turns: one round that doesn't count, then
// as many as wanted.
func (h *harness) turns(ctx context.Context, rounds int, take func(who subject, counts bool) error) error {
	return h.turnsOf(ctx, h.subjects(), rounds, take)
}

// turnsOf is turns for other subjects.
func (h *harness) turnsOf(ctx context.Context, subjects []subject, rounds int, take func(who subject, counts bool) error) error {
	for round := range rounds + 1 {
		fmt.Fprintf(os.Stderr, "   round %d of %d\n", round, rounds)
		for _, who := range subjects {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err := take(who, round > 0); err != nil {
				return fmt.Errorf("%s: %w", who.name, err)
			}
		}
	}
	return nil
}
