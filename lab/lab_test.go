package main

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"testing"
)

const (
	// defaultSample takes two to three minutes on two cores that do little else.
	defaultSample = 24
	defaultSeed   = 1
)

// TestMatrix tries a sample of the matrix. LAB_SAMPLE says how many, 0 is all;
// LAB_SEED says which, LAB_ONLY that only those whose name matches count.
func TestMatrix(t *testing.T) {
	options := matrixOptions{
		sample: int(number(t, "LAB_SAMPLE", defaultSample)), seed: number(t, "LAB_SEED", defaultSeed),
		workers: 2, out: os.Stdout,
	}
	if only := os.Getenv("LAB_ONLY"); only != "" {
		options.only = regexp.MustCompile(only)
	}
	l, err := openLaboratory(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := l.close(); err != nil {
			t.Error(err)
		}
	}()
	outcomes, err := l.runMatrix(t.Context(), options)
	if err != nil {
		t.Error(err)
	}
	if err := verdict(outcomes); err != nil {
		t.Errorf("%v; again: LAB_SEED=%d LAB_SAMPLE=%d go test ./lab, or one alone with LAB_ONLY", err, options.seed, options.sample)
	}
	fmt.Println(table(outcomes))
}

func number(t *testing.T, variable string, fallback uint64) uint64 {
	text := os.Getenv(variable)
	if text == "" {
		return fallback
	}
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return n
}
