package guest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"sync"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
	"github.com/lightshuttle/lightshuttle/sdk/guest/hostcall"
)

// maxKept bounds what Run keeps of either output, in bytes.
const maxKept = 8 << 20

// The signals that a process can be sent.
const (
	sigkill = 9
	sigterm = 15
)

// Run runs a program to its end. Of each output it keeps the first 8 MiB.
func (h Host) Run(ctx context.Context, command sdk.Command) (sdk.Result, error) {
	process, err := h.Spawn(ctx, command)
	if err != nil {
		return sdk.Result{}, err
	}
	defer process.Close()
	var stdout, stderr bytes.Buffer
	var outTruncated, errTruncated bool
	var outErr, errErr error
	var reading sync.WaitGroup
	reading.Go(func() { outTruncated, outErr = keep(&stdout, process.Stdout()) })
	reading.Go(func() { errTruncated, errErr = keep(&stderr, process.Stderr()) })
	reading.Wait()
	for _, err := range []error{outErr, errErr} {
		if err != nil {
			return sdk.Result{}, err
		}
	}
	code, err := process.Wait()
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return sdk.Result{}, err
	}
	return sdk.Result{ExitCode: code, Stdout: stdout.Bytes(), Stderr: stderr.Bytes(), Truncated: outTruncated || errTruncated}, nil
}

// keep reads r to its end and says whether it was more than is kept.
func keep(kept *bytes.Buffer, r io.Reader) (bool, error) {
	if _, err := io.Copy(kept, io.LimitReader(r, maxKept)); err != nil {
		return false, err
	}
	n, err := io.Copy(io.Discard, r)
	return n > 0, err
}

// patience is how long a program that was told to end may take for it. Some must
// not be cut off: an engine's client that dies while it starts a command in a
// container leaves one that can't be removed for half a minute.
const patience = time.Second

// Spawn starts a program. It is told to end with ctx, also when that outlives the
// operation's, and killed if it doesn't; its outputs last until its end.
func (Host) Spawn(ctx context.Context, command sdk.Command) (sdk.Process, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	document, err := json.Marshal(abi.ExecRequest{Program: command.Program, Args: command.Args, Env: command.Env, Outlives: true, Works: command.Works})
	if err != nil {
		return nil, err
	}
	var spawned abi.SpawnResult
	if err := insist(ctx, "run "+command.Program, &spawned, func() int32 { return hostcall.Spawn(document, command.Stdin) }); err != nil {
		return nil, err
	}
	life := context.WithoutCancel(ctx)
	p := &process{
		ctx: life, handle: int32(spawned.Process), closed: make(chan struct{}),
		stdout: newStream(life, spawned.Stdout), stderr: newStream(life, spawned.Stderr),
	}
	p.forget = context.AfterFunc(ctx, p.hunt)
	return p, nil
}

// process is a program that the host runs.
type process struct {
	ctx            context.Context //nolint:containedctx // that of its calls, which has no end
	handle         int32
	stdout, stderr *stream
	// forget lets go of the end of ctx.
	forget func() bool
	closed chan struct{}
}

func (p *process) Stdout() io.Reader { return p.stdout }
func (p *process) Stderr() io.Reader { return p.stderr }

func (p *process) Wait() (int, error) {
	if err := wait(p.ctx, p.handle); err != nil {
		return 0, err
	}
	var result abi.WaitResult
	err := insist(p.ctx, "wait", &result, func() int32 { return hostcall.Wait(p.handle) })
	return result.ExitCode, err
}

// hunt ends the program, patiently.
func (p *process) hunt() {
	_ = p.Kill(false)
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-timer.C:
		_ = p.Kill(true)
	case <-p.closed:
	}
}

func (p *process) Kill(force bool) error {
	signal := int32(sigterm)
	if force {
		signal = sigkill
	}
	return call(p.ctx, "kill", nil, func() int32 { return hostcall.Kill(p.handle, signal) })
}

func (p *process) Close() error {
	p.forget()
	_ = p.stdout.Close()
	_ = p.stderr.Close()
	if p.handle == 0 {
		return nil
	}
	close(p.closed)
	hostcall.Close(p.handle)
	p.handle = 0
	return nil
}
