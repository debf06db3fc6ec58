package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := command(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		os.Exit(1)
	}
}

var errUsage = errors.New("usage: lab matrix|soak [-h]")

func command(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	switch args[0] {
	case "soak":
		return soakCommand(ctx, args[1:])
	case "matrix":
		return matrixCommand(ctx, args[1:])
	}
	return errUsage
}

func matrixCommand(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("matrix", flag.ContinueOnError)
	options := matrixOptions{out: os.Stdout}
	flags.IntVar(&options.sample, "sample", 0, "how many combinations to try; 0 is all")
	flags.Uint64Var(&options.seed, "seed", 1, "decides which")
	flags.IntVar(&options.workers, "workers", 2, "how many at the same time")
	only := flags.String("only", "", "try only those whose name matches this expression")
	flags.BoolVar(&options.verbose, "v", false, "tell all about those that went well, too")
	page := flags.String("page", "", "write the figures into this page")
	binary := flags.String("program", "", "the program (default: it is built)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *only != "" {
		var err error
		if options.only, err = regexp.Compile(*only); err != nil {
			return err
		}
	}
	l, err := openLaboratory(ctx, *binary)
	if err != nil {
		return err
	}
	began := time.Now()
	outcomes, err := l.runMatrix(ctx, options)
	fmt.Printf("\n%s\n%d combinations in %s\n", table(outcomes), len(outcomes), time.Since(began).Round(time.Second))
	if *page != "" && err == nil {
		err = writePage(*page, outcomes, time.Since(began), time.Now())
	}
	return errors.Join(err, verdict(outcomes), l.close())
}

// verdict fails if not all was survived.
func verdict(outcomes []outcome) error {
	failed := 0
	for _, o := range outcomes {
		if !o.survived() {
			failed++
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d combinations were not survived", failed, len(outcomes))
	}
	return nil
}

func soakCommand(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("soak", flag.ContinueOnError)
	options := soakOptions{out: os.Stdout}
	flags.DurationVar(&options.length, "for", 5*time.Minute, "how long")
	flags.Uint64Var(&options.seed, "seed", 1, "decides what is done")
	flags.IntVar(&options.workers, "workers", 2, "how many projects at the same time")
	flags.BoolVar(&options.lives, "live-restore", false, "containers outlive a killed engine")
	flags.BoolVar(&options.calm, "calm", false, "leave the engine alone")
	binary := flags.String("program", "", "the program (default: it is built)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	l, err := openLaboratory(ctx, *binary)
	if err != nil {
		return err
	}
	return errors.Join(l.runSoak(ctx, options), l.close())
}
