//go:build unix

package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// launches is how often a supervisor is started before it is given up: one may
// be on its way out, or another one on its way in.
const launches = 5

// connectOrLaunch starts a supervisor when there is none.
func (r *Runtime) connectOrLaunch(ctx context.Context, project string) (*connection, error) {
	var launchErr error
	for range launches {
		c, err := r.connect(ctx, project)
		if !errors.Is(err, errNoSupervisor) {
			return c, err
		}
		if launchErr = r.launch(ctx, project); ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
	}
	if launchErr == nil {
		launchErr = errors.New("it ended at once, each time")
	}
	return nil, &sdk.Error{
		Code: sdk.CodeUnavailable, Err: fmt.Errorf("start the supervisor of the processes: %w", launchErr),
		Hint: "see " + filepath.Join(r.projectDir(project), supervisorLog),
	}
}

const (
	supervisorLog = "supervisor.log"
	readyLine     = "ready"
)

// launch starts the project's supervisor and returns when it listens, or when
// it found that there is one already.
func (r *Runtime) launch(ctx context.Context, project string) error {
	dir := r.projectDir(project)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	stderr, err := os.OpenFile(filepath.Join(dir, supervisorLog), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer stderr.Close()
	// Not bound to ctx: it is to outlive whoever started it.
	command := exec.Command(r.supervisor[0], append(r.supervisor[1:len(r.supervisor):len(r.supervisor)], dir)...) //nolint:noctx // see above
	command.Dir = "/"
	command.Env = []string{}
	command.Stderr = stderr
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	hear, say, err := os.Pipe()
	if err != nil {
		return err
	}
	defer hear.Close()
	command.ExtraFiles = []*os.File{say} // its descriptor 3
	err = command.Start()
	_ = say.Close()
	if err != nil {
		return err
	}
	leave := context.AfterFunc(ctx, func() { _ = hear.Close() })
	defer leave()
	said, err := io.ReadAll(hear)
	go func() { _ = command.Wait() }() // so that it is no zombie while this program lives
	text := strings.TrimSpace(string(said))
	if err != nil || text == readyLine {
		return err
	}
	if text == "" {
		return errors.New("it ended at once")
	}
	return errors.New(text)
}
