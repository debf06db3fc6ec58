package machine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// waitDelay is how long the children of a program may keep its output open after
// it has ended, or was told to.
func (m *Machine) waitDelay() time.Duration { return 3 * m.options.Patience }

// Run implements sdk.Host. Of each stream it keeps 64 MiB. When ctx ends, the
// program's whole group is told to end, and killed if it doesn't.
func (m *Machine) Run(ctx context.Context, command sdk.Command) (sdk.Result, error) {
	cmd, hunt := m.command(ctx, command)
	defer hunt.end()
	stdout, stderr := &bounded{limit: outputLimit}, &bounded{limit: outputLimit}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	cmd.WaitDelay = m.waitDelay()
	err := cmd.Start()
	if err == nil {
		// Also when only its children are left, whom nobody else would end.
		defer context.AfterFunc(ctx, func() { hunt.begin(cmd) })()
		err = cmd.Wait()
	}
	if ctx.Err() != nil {
		return sdk.Result{}, fmt.Errorf("%s: %w", command.Program, context.Cause(ctx))
	}
	code, err := ended(command.Program, cmd, err)
	if err != nil {
		return sdk.Result{}, err
	}
	return sdk.Result{ExitCode: code, Stdout: stdout.kept.Bytes(), Stderr: stderr.kept.Bytes(), Truncated: stdout.cut || stderr.cut}, nil
}

// command prepares a program. What it returns beside it has to be ended with it.
func (m *Machine) command(ctx context.Context, command sdk.Command) (*exec.Cmd, *hunt) {
	cmd := exec.CommandContext(ctx, command.Program, command.Args...)
	cmd.Env = m.environment(command.Env)
	if command.Stdin != nil {
		cmd.Stdin = bytes.NewReader(command.Stdin)
	}
	ownGroup(cmd)
	hunt := &hunt{patience: m.options.Patience}
	cmd.Cancel = func() error {
		hunt.begin(cmd)
		return nil
	}
	return cmd, hunt
}

// ended is the exit code of a program that has ended, or why there is none.
func ended(program string, cmd *exec.Cmd, err error) (int, error) {
	if errors.Is(err, exec.ErrWaitDelay) {
		err = nil // it ended itself; only a child kept its output open
	}
	if err == nil {
		return 0, nil
	}
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		return exitCode(failed), nil
	}
	if cmd.Process != nil {
		return 0, sdk.Errorf(sdk.CodeInternal, "", "%s: %w", program, err)
	}
	return 0, notStarted(program, err)
}

// notStarted says why a program can't be run.
func notStarted(program string, err error) error {
	switch {
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return sdk.Errorf(sdk.CodeUnavailable, "", "there is no program %s", program)
	case errors.Is(err, fs.ErrPermission):
		return sdk.Errorf(sdk.CodeUnavailable, "", "the program %s can't be run: permission denied", program)
	}
	return sdk.Errorf(sdk.CodeUnavailable, "", "the program %s can't be run: %w", program, err)
}

// bounded keeps what is written to it up to a limit, and lets the rest go.
type bounded struct {
	kept  bytes.Buffer
	limit int
	cut   bool
}

func (b *bounded) Write(p []byte) (int, error) {
	room := b.limit - b.kept.Len()
	if room >= len(p) {
		return b.kept.Write(p)
	}
	b.cut = true
	b.kept.Write(p[:max(room, 0)])
	return len(p), nil
}
