package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/lightshuttle/lightshuttle/host/wasm"
	"github.com/lightshuttle/lightshuttle/sdk"
)

const (
	// otherHost is Extism's host in Go, and plainCode ours when it leaves the
	// module's code as it is.
	otherHost = "extism"
	plainCode = "not hardened"

	// documentSize is what goes there and back, in bytes.
	documentSize = 1 << 10
	// crossings is how many documents one measurement sends through a guest that
	// lives, and instances how many each through an instance of its own.
	crossings = 2000
	instances = 20
	// echoes is how often the measurements are repeated in a round.
	echoes = 5
)

// wasmCall sends 1 KiB through a guest in Go and back: within an instance that
// lives, and with an instance for each, as all our operations have one. Extism
// does the same, with its own guest, in a process of its own.
func wasmCall(ctx context.Context, h *harness) error {
	theirs, err := h.beginExtism(ctx)
	if err != nil {
		return err
	}
	ours, err := h.openEcho(ctx, wasm.Options{})
	if err != nil {
		return errors.Join(err, theirs.end())
	}
	defer ours.Close()
	plain, err := h.openEcho(ctx, wasm.Options{Unhardened: true})
	if err != nil {
		return errors.Join(err, theirs.end())
	}
	defer plain.Close()
	living, own := figures{}, figures{}
	for round := range h.runs*echoes + 1 {
		took := map[string][2]time.Duration{}
		for name, r := range map[string]wasm.Runtime{us: ours, plainCode: plain} {
			if took[name], err = timeEchoes(ctx, r); err != nil {
				return errors.Join(err, theirs.end())
			}
		}
		if took[otherHost], err = theirs.time(); err != nil {
			return errors.Join(err, theirs.end())
		}
		if round == 0 {
			continue
		}
		for name, pair := range took {
			living.add(name, microseconds(pair[0]))
			own.add(name, microseconds(pair[1]))
		}
	}
	h.report.addOf("1 KiB through a Go guest and back", "µs", living, us, plainCode, otherHost)
	h.report.addOf("the same, an instance for each", "µs", own, us, plainCode, otherHost)
	h.report.compare("1 KiB through a Go guest and back ÷ extism", living[us], living[otherHost], 0.10)
	h.report.compare("1 KiB through a Go guest, an instance for each ÷ extism", own[us], own[otherHost], none)
	h.report.compare("hardening: 1 KiB through a Go guest ÷ not hardened", living[us], living[plainCode], none)
	h.report.compare("hardening: an instance and an operation ÷ not hardened", own[us], own[plainCode], none)
	return theirs.end()
}

func microseconds(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func (h *harness) openEcho(ctx context.Context, options wasm.Options) (wasm.Runtime, error) {
	binary, err := h.wasmModule(ctx, filepath.Join("bench", "wasmguest"))
	if err != nil {
		return nil, err
	}
	options.Limits.Compile = longestTurn
	return wasm.Open(ctx, binary, options)
}

// echo is a spec of which the request that a guest gets has documentSize bytes.
func echo(n int) sdk.Spec {
	const around = 220 // what the request has beside the name
	return sdk.Spec{Name: strings.Repeat("x", documentSize-around), Image: "echo " + strconv.Itoa(n)}
}

// timeEchoes is the time of one document within an operation, and that of an
// operation.
func timeEchoes(ctx context.Context, r wasm.Runtime) (took [2]time.Duration, err error) {
	timed := func(n int) (time.Duration, error) {
		began := time.Now()
		_, err := r.Start(ctx, echo(n))
		return time.Since(began), err
	}
	many, err := timed(crossings)
	if err != nil {
		return took, err
	}
	var all, fastest time.Duration
	for range instances {
		one, err := timed(1)
		if err != nil {
			return took, err
		}
		all += one
		if fastest == 0 || one < fastest {
			fastest = one
		}
	}
	took[1] = all / instances
	// The instance is made once for all of them, and isn't what is asked here.
	took[0] = max(0, many-fastest) / (crossings - 1)
	return took, nil
}

// extismSide is the process in which Extism runs.
type extismSide struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Scanner
}

func (h *harness) beginExtism(ctx context.Context) (*extismSide, error) {
	program, guest, err := h.extism(ctx)
	if err != nil {
		return nil, err
	}
	s := &extismSide{command: exec.CommandContext(ctx, program, guest, strconv.Itoa(documentSize))}
	s.command.Stderr = os.Stderr
	if s.in, err = s.command.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := s.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.out = bufio.NewScanner(stdout)
	return s, s.command.Start()
}

func (s *extismSide) time() (took [2]time.Duration, err error) {
	for i, what := range []string{fmt.Sprintf("call %d", crossings/10), fmt.Sprintf("instance %d", instances)} {
		if _, err := fmt.Fprintln(s.in, what); err != nil {
			return took, err
		}
		if !s.out.Scan() {
			return took, errors.Join(errors.New("extism gives no answer"), s.out.Err())
		}
		ns, err := strconv.ParseInt(s.out.Text(), 10, 64)
		if err != nil {
			return took, err
		}
		took[i] = time.Duration(ns)
	}
	return took, nil
}

func (s *extismSide) end() error {
	return errors.Join(s.in.Close(), s.command.Wait())
}
