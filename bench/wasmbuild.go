package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// wasmModule builds a folder of the repository into a module, as authors do.
func (h *harness) wasmModule(ctx context.Context, folder string) ([]byte, error) {
	build := exec.CommandContext(ctx, filepath.Join("scripts", "wasm"), folder)
	build.Env = append(os.Environ(), "OUT="+h.dir)
	if output, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building %s: %w\n%s", folder, err, lastLines(string(output)))
	}
	return os.ReadFile(h.wasmFile(folder))
}

// wasmFile is where the module of a folder is.
func (h *harness) wasmFile(folder string) string {
	return filepath.Join(h.dir, filepath.Base(folder)+".wasm")
}

// extism builds the other side of wasm-call, which is a Go module of its own, and
// its guest.
func (h *harness) extism(ctx context.Context) (program, guest string, err error) {
	program, guest = filepath.Join(h.dir, "extism"), filepath.Join(h.dir, "extism.wasm")
	for _, build := range []*exec.Cmd{
		exec.CommandContext(ctx, "go", "build", "-o", program, "."),
		exec.CommandContext(ctx, "go", "build", "-buildmode=c-shared", "-trimpath", "-ldflags=-s -w", "-o", guest, "./guest"),
	} {
		build.Dir = filepath.Join("bench", "extism")
		build.Env = os.Environ()
		if build.Args[2] == "-buildmode=c-shared" {
			build.Env = append(build.Env, "GOOS=wasip1", "GOARCH=wasm")
		}
		if output, err := build.CombinedOutput(); err != nil {
			return "", "", errors.Join(fmt.Errorf("building bench/extism: %w", err), errors.New(lastLines(string(output))))
		}
	}
	return program, guest, nil
}

// addOf adds the series of subjects that only this measure has.
func (r *report) addOf(scenario, unit string, measured figures, subjects ...string) {
	for _, subject := range subjects {
		if s := measured[subject]; len(s) > 0 {
			r.Figures = append(r.Figures, figure{scenario, subject, unit, s.median(), s.min(), s.max(), s})
		}
	}
}
