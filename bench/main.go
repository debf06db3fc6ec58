package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

// options are what the user says of a run.
type options struct {
	program  string
	compose  string
	runs     int
	scenario string
	out      string
}

func main() {
	var err error
	if len(os.Args) > 1 && os.Args[1] == "floor" {
		err = runFloor(os.Args[2:])
	} else {
		err = run(parseFlags())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func parseFlags() options {
	var o options
	flag.StringVar(&o.program, "program", filepath.Join("bin", "lightshuttle"), "the program")
	flag.StringVar(&o.compose, "compose", cachedCompose(), "docker compose's binary (scripts/tool docker-compose builds it)")
	flag.IntVar(&o.runs, "runs", 5, "runs of each subject that count, after one that doesn't")
	flag.StringVar(&o.scenario, "scenario", "", "only these scenarios, separated by commas: "+scenarioNames())
	flag.StringVar(&o.out, "out", "", "also write the report as JSON into this file")
	flag.Parse()
	return o
}

// cachedCompose is where scripts/tool keeps what it has built.
func cachedCompose() string {
	cache, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(cache, "lightshuttle-dev", "docker-compose-v2.40.3")
}

func run(o options) (err error) {
	if o.runs < 1 {
		return fmt.Errorf("-runs must be at least 1, not %d", o.runs)
	}
	chosen, err := choose(o.scenario)
	if err != nil {
		return err
	}
	// Signals are heard to the very end: one more, or the same one sent twice by
	// what runs this, must not cut off the removal, whose time is bounded.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()

	h, err := newHarness(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	failed := h.measure(ctx, chosen)
	h.report.markdown(os.Stdout)
	return errors.Join(failed, h.report.save(o.out))
}
