package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
)

type options struct {
	program  string
	compose  string
	rounds   int
	scenario string
	out      string
}

func main() {
	var o options
	var floorStack string
	flag.StringVar(&o.program, "program", "bin/lightshuttle", "the program")
	flag.StringVar(&o.compose, "compose", "", "docker compose's binary")
	flag.IntVar(&o.rounds, "rounds", 5, "rounds that count, after one that doesn't")
	flag.StringVar(&o.scenario, "scenario", "", "only the scenarios with these names, separated by commas")
	flag.StringVar(&o.out, "out", "", "also write the report as JSON into this file")
	flag.StringVar(&floorStack, "floor", "", "be the floor for a stack (used by the harness itself)")
	flag.Parse()
	if err := run(o, floorStack); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(o options, floorStack string) error {
	if floorStack != "" {
		for _, s := range stacks() {
			if s.Name == floorStack {
				return runFloor(s)
			}
		}
		return fmt.Errorf("there is no stack %s", floorStack)
	}
	if o.compose == "" {
		return fmt.Errorf("say where docker compose is with -compose (scripts/tool docker-compose builds it)")
	}
	r := newReport()
	for _, scenario := range scenarios {
		if o.scenario != "" && !slices.Contains(strings.Split(o.scenario, ","), scenario.name) {
			continue
		}
		fmt.Fprintln(os.Stderr, "==", scenario.name)
		if err := scenario.run(o, r); err != nil {
			return fmt.Errorf("%s: %w", scenario.name, err)
		}
	}
	r.markdown(os.Stdout)
	if o.out == "" {
		return nil
	}
	file, err := os.Create(o.out)
	if err != nil {
		return err
	}
	defer file.Close()
	return r.json(file)
}
