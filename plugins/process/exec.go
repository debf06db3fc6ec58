//go:build unix

package process

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// outputWait is how long the output of a command is waited for after its end,
// when something that it left behind still holds it.
const outputWait = 500 * time.Millisecond

// Exec implements sdk.Execer: beside the process, in its folder and with its
// environment. A command that isn't there ends with 127, as in a shell.
func (r *Runtime) Exec(ctx context.Context, id string, options sdk.ExecOptions) (int, error) {
	if options.User != "" {
		return 0, sdk.Errorf(sdk.CodeUnsupported, "exec", "a process can't honour `user`")
	}
	if len(options.Command) == 0 {
		return 0, sdk.Errorf(sdk.CodeInvalid, "exec", "there is no command")
	}
	project := projectOf(id)
	if project == "" {
		return 0, sdk.Errorf(sdk.CodeNotFound, "exec", "there is no process %q", id)
	}
	known, err := r.look(ctx, project, id)
	if err != nil {
		return 0, failed("exec", "", err)
	}
	spec := known.Spec
	if known.Status.State != sdk.StatusRunning {
		return 0, sdk.Errorf(sdk.CodeConflict, "exec", "the process is not running")
	}
	environ := environment(environment(os.Environ(), spec.Env), options.Env)
	if options.WorkingDir != "" {
		spec.WorkingDir = options.WorkingDir
	}
	spec.Entrypoint, spec.Command = nil, options.Command
	program, err := programOf(spec, environ)
	if err != nil {
		return notExecutable(options, err)
	}
	// A command beside the process goes with it, as one in a container does.
	beside, leave := context.WithCancel(ctx)
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		if r.waitEnd(beside, id) == nil {
			leave()
		}
	}()
	defer func() {
		leave()
		<-watching
	}()
	command := exec.CommandContext(beside, program, options.Command[1:]...)
	command.Args[0] = options.Command[0]
	command.Dir, command.Env = spec.WorkingDir, environ
	command.Stdout, command.Stderr = options.Stdout, options.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return signalGroup(command.Process.Pid, unix.SIGKILL) }
	command.WaitDelay = outputWait
	err = command.Run()
	switch exited, ok := errors.AsType[*exec.ExitError](err); {
	case ctx.Err() != nil:
		return 0, failed("exec", "", context.Cause(ctx))
	case ok:
		return exitCode(exited.Sys().(syscall.WaitStatus)), nil //nolint:forcetypeassert // so it is on Unix
	case errors.Is(err, exec.ErrWaitDelay):
		return 0, nil
	case err != nil:
		return 0, failed("exec", "", err)
	}
	return 0, nil
}

// The exit codes of shells for a command that can't be run.
const (
	exitNotExecutable = 126
	exitNotFound      = 127
)

func notExecutable(options sdk.ExecOptions, err error) (int, error) {
	if options.Stderr != nil {
		if _, writeErr := options.Stderr.Write([]byte(err.Error() + "\n")); writeErr != nil {
			return 0, failed("exec", "", writeErr)
		}
	}
	if sdk.IsCode(err, sdk.CodeDenied) {
		return exitNotExecutable, nil
	}
	return exitNotFound, nil
}

// exitCode is that of the process, or 128 and the number of what killed it.
func exitCode(status syscall.WaitStatus) int {
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}
