package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lightshuttle/lightshuttle/host/wasm"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// inFlight is how many operations wait at the same time.
const inFlight = 40

// wasmMemory measures the memory of operations of a guest in Go that are under
// way.
func wasmMemory(ctx context.Context, h *harness) error {
	waiting := make(counter, inFlight)
	r, err := h.openEcho(ctx, wasm.Options{Logger: slog.New(slog.NewTextHandler(waiting, nil))})
	if err != nil {
		return err
	}
	defer r.Close()
	var each series
	for round := range h.runs + 1 {
		grown, err := memoryInFlight(ctx, r, waiting)
		if err != nil {
			return err
		}
		if round > 0 {
			each = append(each, float64(grown)/inFlight/(1<<20))
		}
	}
	h.report.add("memory of an operation in flight, Go guest", "MiB", figures{us: each})
	h.report.limit("memory of an operation in flight, Go guest", each.median(), 8, "MiB")
	return nil
}

// counter has a value for each line that the guest has logged.
type counter chan struct{}

func (c counter) Write(p []byte) (int, error) {
	c <- struct{}{}
	return len(p), nil
}

// memoryInFlight is by how many bytes this process grows while the operations
// wait.
func memoryInFlight(ctx context.Context, r wasm.Runtime, waiting counter) (int64, error) {
	debug.FreeOSMemory()
	before, err := resident()
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var all sync.WaitGroup
	errs := make([]error, inFlight)
	for i := range errs {
		all.Go(func() {
			if _, err := r.Start(ctx, sdk.Spec{Name: "x", Image: "wait"}); !sdk.IsCode(err, sdk.CodeCancelled) {
				errs[i] = errors.Join(errors.New("an operation didn't wait"), err)
			}
		})
	}
	for range inFlight {
		select {
		case <-waiting:
		case <-time.After(longestTurn):
			return 0, errors.New("the operations don't all wait")
		}
	}
	after, err := resident()
	cancel()
	all.Wait()
	return after - before, errors.Join(append(errs, err)...)
}

// resident is the memory of this process, in bytes.
func resident() (int64, error) {
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, err
	}
	pages, err := strconv.ParseInt(strings.Fields(string(data))[1], 10, 64)
	return pages * int64(os.Getpagesize()), err
}
