package docker

import (
	"context"
	"io"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"

	"github.com/lightshuttle/lightshuttle/sdk"
)

const (
	// The engine closes the output of a command a moment before it knows the
	// exit code.
	exitCodePause = time.Millisecond
	exitCodeWait  = 2 * time.Second
)

// Exec implements sdk.Execer.
func (r *Runtime) Exec(ctx context.Context, id string, options sdk.ExecOptions) (int, error) {
	created, err := r.api.ContainerExecCreate(ctx, id, container.ExecOptions{
		Cmd: options.Command, Env: environment(options.Env), User: options.User, WorkingDir: options.WorkingDir,
		AttachStdout: true, AttachStderr: true,
	})
	if err != nil {
		return 0, r.typed("exec", "", err)
	}
	stream, err := r.api.ContainerExecAttach(ctx, created.ID, container.ExecAttachOptions{})
	if err != nil {
		return 0, r.typed("exec", "", err)
	}
	defer stream.Close()
	// The connection is no longer bound to ctx once it has been taken over.
	stop := context.AfterFunc(ctx, stream.Close)
	defer stop()
	_, err = stdcopy.StdCopy(orDiscard(options.Stdout), orDiscard(options.Stderr), stream.Reader)
	if ctx.Err() != nil {
		return 0, r.typed("exec", "", ctx.Err())
	}
	if err != nil {
		return 0, r.typed("exec", "", err)
	}
	return r.execExitCode(ctx, created.ID)
}

func (r *Runtime) execExitCode(ctx context.Context, execID string) (int, error) {
	deadline := time.Now().Add(exitCodeWait)
	for {
		seen, err := r.api.ContainerExecInspect(ctx, execID)
		if err != nil {
			return 0, r.typed("exec", "", err)
		}
		if !seen.Running || time.Now().After(deadline) {
			return seen.ExitCode, nil
		}
		select {
		case <-ctx.Done():
			return 0, r.typed("exec", "", ctx.Err())
		case <-time.After(exitCodePause):
		}
	}
}

func orDiscard(w io.Writer) io.Writer {
	if w == nil {
		return io.Discard
	}
	return w
}
