package docker

import (
	"context"
	"io"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// interact runs a command that was created, and that reads or has a terminal,
// over a connection of its own in both directions.
func (r *Runtime) interact(ctx context.Context, execID string, options sdk.ExecOptions) (int, error) {
	connection, err := r.takeOver(ctx, "/exec/"+execID+"/start", container.ExecStartOptions{Tty: options.TTY})
	if err != nil {
		return 0, r.typed(ctx, "exec", "", err)
	}
	defer connection.Close()
	if options.Stdin != nil {
		go feed(connection, options.Stdin)
	}
	resizing, endResizing := context.WithCancel(ctx)
	defer endResizing()
	if options.Resize != nil {
		go r.followSize(resizing, execID, options.Resize)
	}
	if options.TTY {
		_, err = io.Copy(orDiscard(options.Stdout), connection)
	} else {
		err = copyFrames(connection, orDiscard(options.Stdout), orDiscard(options.Stderr))
	}
	if ctx.Err() != nil {
		return 0, contextEnded(ctx, "exec", "")
	}
	if err != nil {
		return 0, r.typed(ctx, "exec", "", err)
	}
	return r.execExitCode(ctx, execID)
}

// feed gives the command its input, and then the end of it.
func feed(connection io.Writer, stdin io.Reader) {
	_, err := io.Copy(connection, stdin)
	half, ok := connection.(interface{ CloseWrite() error })
	if err == nil && ok {
		_ = half.CloseWrite() // the command has ended, if that fails
	}
}

const (
	resizeTries = 20
	resizePause = 10 * time.Millisecond
)

// followSize sets the size of the command's terminal, which has none until the
// command has been started, a moment after the engine has said so.
func (r *Runtime) followSize(ctx context.Context, execID string, sizes <-chan sdk.TerminalSize) {
	for {
		var size sdk.TerminalSize
		var more bool
		select {
		case <-ctx.Done():
			return
		case size, more = <-sizes:
		}
		if !more {
			return
		}
		if err := r.resize(ctx, execID, size); err != nil && ctx.Err() == nil {
			r.logger.Debug("the terminal could not be resized", "error", err)
		}
	}
}

func (r *Runtime) resize(ctx context.Context, execID string, size sdk.TerminalSize) error {
	var err error
	for range resizeTries {
		err = r.api.ContainerExecResize(ctx, execID, container.ResizeOptions{Width: uint(size.Width), Height: uint(size.Height)})
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(resizePause):
		}
	}
	return err
}
