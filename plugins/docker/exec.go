package docker

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Exec implements sdk.Execer. A command that the container doesn't have is no
// error: the engine reports it like a shell, with exit code 126 or 127 and a
// line of output.
func (r *Runtime) Exec(ctx context.Context, id string, options sdk.ExecOptions) (int, error) {
	created, err := r.api.ContainerExecCreate(ctx, id, container.ExecOptions{
		Cmd: options.Command, Env: environment(options.Env), User: options.User, WorkingDir: options.WorkingDir,
		AttachStdout: true, AttachStderr: true, AttachStdin: options.Stdin != nil, Tty: options.TTY, DetachKeys: detachKeys,
	})
	if err != nil {
		return 0, r.typed(ctx, "exec", "", err)
	}
	if options.Stdin != nil || options.TTY {
		return r.interact(ctx, created.ID, options)
	}
	// Without a request to take the connection over, the engine answers with a
	// plain stream, which ends with the context.
	response, err := r.answer(ctx, http.MethodPost, "/exec/"+created.ID+"/start", nil, container.ExecStartOptions{})
	if err != nil {
		return 0, r.typed(ctx, "exec", "", err)
	}
	defer response.Body.Close()
	stdout, stderr := orDiscard(options.Stdout), orDiscard(options.Stderr)
	err = copyFrames(response.Body, stdout, stderr)
	if ctx.Err() != nil {
		return 0, contextEnded(ctx, "exec", "")
	}
	if err != nil {
		return 0, r.typed(ctx, "exec", "", err)
	}
	return r.execExitCode(ctx, created.ID)
}

// copyFrames writes each output of the command to where it belongs.
func copyFrames(from io.Reader, stdout, stderr io.Writer) error {
	return demux(from, func(stream sdk.Stream, data []byte, _ bool) error {
		w := stdout
		if stream == sdk.Stderr {
			w = stderr
		}
		_, err := w.Write(data)
		return err
	})
}

// detachKeys is what to type to leave a command running. The engine's own keys
// (Ctrl-P, Ctrl-Q) are in the way of every shell's history; nobody types these.
const detachKeys = "ctrl-^,ctrl-^,ctrl-^,ctrl-^"

const (
	// The engine closes the output of a command a moment before it knows the
	// exit code.
	exitCodePause = time.Millisecond
	// exitCodePauseMost is for a command that closed its output and goes on.
	exitCodePauseMost = 100 * time.Millisecond
)

func (r *Runtime) execExitCode(ctx context.Context, execID string) (int, error) {
	for pause := exitCodePause; ; pause = min(2*pause, exitCodePauseMost) {
		seen, err := r.api.ContainerExecInspect(ctx, execID)
		if err != nil {
			return 0, r.typed(ctx, "exec", "", err)
		}
		if !seen.Running {
			return seen.ExitCode, nil
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return 0, contextEnded(ctx, "exec", "")
		case <-timer.C:
		}
	}
}

func orDiscard(w io.Writer) io.Writer {
	if w == nil {
		return io.Discard
	}
	return w
}
