package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// harness is one run of the benchmarks.
type harness struct {
	runs    int
	program string
	compose string
	// self is this program, which is also the floor.
	self string
	// dir is the run's own folder; it goes with the run.
	dir    string
	engine *engine
	report *report
}

func newHarness(ctx context.Context, o options) (*harness, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	compose, err := exec.LookPath(o.compose)
	if err != nil {
		return nil, fmt.Errorf("docker compose: %w\nbuild it with scripts/tool docker-compose, or say where it is with -compose", err)
	}
	e, err := openEngine("bench-" + strings.ToLower(rand.Text()[:6]) + "-")
	if err != nil {
		return nil, err
	}
	if err := os.Setenv("DOCKER_HOST", e.api.DaemonHost()); err != nil { // so that all subjects use this very engine
		return nil, err
	}
	dir, err := os.MkdirTemp("", "lightshuttle-bench")
	if err != nil {
		return nil, err
	}
	h := &harness{runs: o.runs, program: filepath.Join(dir, "lightshuttle"), compose: compose, self: self, dir: dir, engine: e}
	// The copy is what all runs measure, also if somebody builds anew meanwhile.
	if err := copyProgram(o.program, h.program); err != nil {
		return nil, errors.Join(fmt.Errorf("the program: %w\nbuild it with make build, or say where it is with -program", err), h.close())
	}
	if h.report, err = h.begunReport(ctx); err != nil {
		return nil, errors.Join(err, h.close())
	}
	return h, nil
}

func copyProgram(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o700)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Close())
}

// measure runs the scenarios. One that fails is reported, and the others are
// still measured, unless ctx has ended.
func (h *harness) measure(ctx context.Context, chosen []scenario) error {
	var failed []error
	for _, s := range chosen {
		fmt.Fprintln(os.Stderr, "==", s.name)
		err := s.run(ctx, h)
		if ctx.Err() != nil {
			h.report.Failures = append(h.report.Failures, s.name+": interrupted; what comes after it wasn't measured")
			return errors.New("interrupted")
		}
		if err == nil {
			continue
		}
		h.report.Failures = append(h.report.Failures, fmt.Sprintf("%s: %v", s.name, err))
		failed = append(failed, fmt.Errorf("%s: %w", s.name, err))
		if err := h.engine.sweep(ctx); err != nil {
			return errors.Join(append(failed, err)...)
		}
	}
	return errors.Join(failed...)
}

// close removes all that the run has made, however it ended.
func (h *harness) close() error {
	return errors.Join(h.engine.close(), os.RemoveAll(h.dir))
}
