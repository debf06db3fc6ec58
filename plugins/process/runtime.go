//go:build unix

package process

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Runtime runs processes. It holds nothing open between calls, but for a Watch;
// Close is for form's sake.
type Runtime struct {
	dir        string
	supervisor []string
	logs       logLimit
	logger     *slog.Logger
	lines      lines
}

var (
	_ sdk.Runtime    = (*Runtime)(nil)
	_ sdk.Pinger     = (*Runtime)(nil)
	_ sdk.Validator  = (*Runtime)(nil)
	_ sdk.Inspector  = (*Runtime)(nil)
	_ sdk.Lister     = (*Runtime)(nil)
	_ sdk.Remover    = (*Runtime)(nil)
	_ sdk.Logger     = (*Runtime)(nil)
	_ sdk.Execer     = (*Runtime)(nil)
	_ sdk.EnvReader  = (*Runtime)(nil)
	_ sdk.PortFinder = (*Runtime)(nil)
	_ sdk.Watcher    = (*Runtime)(nil)
	_ sdk.Restarter  = (*Runtime)(nil)
	_ sdk.Gatekeeper = (*Runtime)(nil)
)

// Open returns a Runtime. Nothing is touched yet.
func Open(options Options) (*Runtime, error) {
	if len(options.Supervisor) == 0 {
		return nil, sdk.Errorf(sdk.CodeInternal, "open", "no command for the supervisor")
	}
	dir := options.Dir
	if dir == "" {
		var err error
		if dir, err = stateDir(); err != nil {
			return nil, err
		}
	}
	r := &Runtime{dir: dir, supervisor: options.Supervisor, logger: options.Logger, logs: logLimit{Bytes: options.LogBytes, Files: options.LogFiles}}
	if r.logger == nil {
		r.logger = slog.New(slog.DiscardHandler)
	}
	if r.logs.Bytes <= 0 {
		r.logs.Bytes = defaultLogBytes
	}
	if r.logs.Files <= 0 {
		r.logs.Files = defaultLogFiles
	}
	return r, nil
}

// stateDir is the folder of all projects of this user.
func stateDir() (string, error) {
	base := os.Getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(base) {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", &sdk.Error{Code: sdk.CodeUnavailable, Op: "open", Err: errors.New("there is no folder for what must be remembered of processes"), Hint: "set HOME or XDG_STATE_HOME"}
		}
		base = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(base, "lightshuttle", "processes"), nil
}

// Close implements io.Closer.
func (r *Runtime) Close() error { return nil }

// Ping implements sdk.Pinger: there is no engine that could be away.
func (r *Runtime) Ping(ctx context.Context) (sdk.Info, error) {
	if ctx.Err() != nil {
		return sdk.Info{}, failed("ping", "", context.Cause(ctx))
	}
	return sdk.Info{Name: "process", Version: "1", Address: r.dir, OS: runtime.GOOS, Arch: runtime.GOARCH}, nil
}

// Known says whether anything is kept of the project.
func (r *Runtime) Known(project string) bool {
	return len(idsIn(r.projectDir(project))) > 0
}

func (r *Runtime) projectDir(project string) string { return filepath.Join(r.dir, project) }
