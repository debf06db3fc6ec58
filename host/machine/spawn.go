package machine

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"sync"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Spawn implements sdk.Host. The end of ctx ends the program's whole group.
func (m *Machine) Spawn(ctx context.Context, command sdk.Command) (sdk.Process, error) {
	ctx, cancel := context.WithCancel(ctx)
	cmd, hunt := m.command(ctx, command)
	p := &process{ctx: ctx, cancel: cancel, program: command.Program, cmd: cmd, release: hunt.end}
	var err error
	if p.stdout, err = cmd.StdoutPipe(); err == nil {
		p.stderr, err = cmd.StderrPipe()
	}
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		hunt.end()
		cancel()
		return nil, notStarted(command.Program, err)
	}
	return p, nil
}

// process is a program that runs.
type process struct {
	ctx            context.Context
	cancel         context.CancelFunc
	program        string
	cmd            *exec.Cmd
	release        func()
	stdout, stderr io.Reader

	once sync.Once
	code int
	err  error
}

func (p *process) Stdout() io.Reader { return p.stdout }
func (p *process) Stderr() io.Reader { return p.stderr }

// Wait implements sdk.Process. It may be called more than once.
func (p *process) Wait() (int, error) {
	p.once.Do(func() {
		err := p.cmd.Wait()
		p.release()
		if cause := context.Cause(p.ctx); cause != nil {
			p.err = fmt.Errorf("%s: %w", p.program, cause)
			return
		}
		p.code, p.err = ended(p.program, p.cmd, err)
	})
	return p.code, p.err
}

func (p *process) Kill(force bool) error { return signalGroup(p.cmd, force) }

// Close kills the program if it still runs, and waits for its end.
func (p *process) Close() error {
	_ = signalGroup(p.cmd, true)
	p.cancel()
	_, _ = p.Wait()
	return nil
}
