package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/lightshuttle/lightshuttle/cmd/lightshuttle/exitcode"
	"github.com/lightshuttle/lightshuttle/control"
	"github.com/lightshuttle/lightshuttle/host/lifecycle"
	"github.com/lightshuttle/lightshuttle/host/owner"
)

// hold is a project in the hands of this process (L15), and the socket on which
// others reach it.
type hold struct {
	app     *app
	owner   *owner.Owner
	server  *control.Server
	signals chan<- os.Signal

	mu      sync.Mutex
	manager *lifecycle.Manager
	grace   *time.Duration
}

// ownership describes this process as the owner of the session's project.
func (a *app) ownership(s *session, doing string) owner.Info {
	return owner.Info{Project: s.project, Doing: doing, Manifest: s.manifest, Version: version, Runtime: a.settings.Runtime}
}

// holdFor takes the project and serves its socket. Who asks on it for the end of
// the stack is heard as a signal is.
func (a *app) holdFor(s *session, doing string, signals chan<- os.Signal) (*hold, error) {
	folder, err := owner.Open()
	if err != nil {
		return nil, err
	}
	info := a.ownership(s, doing)
	if info.Socket, err = folder.Socket(s.project); err != nil {
		return nil, err
	}
	h := &hold{app: a, signals: signals}
	if h.owner, err = folder.Take(info); err != nil {
		return nil, err
	}
	if killed := h.owner.Killed; killed != nil {
		a.logger.Info("an earlier run was cut off", "doing", killed.Doing, "pid", killed.PID, "since", killed.Since)
	}
	h.server, err = control.Serve(info.Socket, control.Options{
		Info: control.Info{
			Project: s.project, PID: os.Getpid(), Since: time.Now(), Version: version, Runtime: a.settings.Runtime, Manifest: s.manifest,
		},
		Down: h.down, Logger: a.logger,
	})
	if err != nil {
		return nil, errors.Join(err, h.owner.Release())
	}
	return h, nil
}

// down ends the stack because another process asks for it.
func (h *hold) down(asked control.Down) {
	h.mu.Lock()
	if asked.Grace != nil {
		grace := asked.Grace.Std()
		h.grace = &grace
		h.applyGrace()
	}
	h.mu.Unlock()
	if !asked.Kill {
		fmt.Fprintln(h.app.log, "another process asks for the end: `lightshuttle down`")
	}
	select {
	case h.signals <- syscall.SIGTERM:
	default: // it has been signalled often enough
	}
}

// attach says which stack it is that the socket controls.
func (h *hold) attach(manager *lifecycle.Manager) {
	h.mu.Lock()
	h.manager = manager
	h.applyGrace()
	h.mu.Unlock()
	h.server.Attach(manager)
}

func (h *hold) applyGrace() {
	if h.manager != nil && h.grace != nil {
		h.manager.SetGrace(*h.grace)
	}
}

// release gives the project back.
func (h *hold) release() {
	h.server.Close()
	h.app.giveBack(h.owner)
}

func (a *app) giveBack(o *owner.Owner) {
	if err := o.Release(); err != nil {
		a.logger.Warn("the lock of the project was not released properly", "error", err)
	}
}

// living is a client for the process that owns the project, or nil when there
// is none that answers.
func (a *app) living(ctx context.Context, project string) *control.Client {
	folder, err := owner.Open()
	if err != nil {
		a.logger.Debug("nobody can be asked", "error", err)
		return nil
	}
	socket, err := folder.Socket(project)
	if err != nil {
		a.logger.Debug("nobody can be asked", "error", err)
		return nil
	}
	client := control.NewClient(socket)
	_, err = client.Info(ctx)
	if err == nil {
		return client
	}
	client.Close()
	if !errors.Is(err, control.ErrNobody) && ctx.Err() == nil {
		a.logger.Warn("the engine is asked instead", "error", err)
	}
	return nil
}

// owned gives an error that somebody else owns the project its exit code.
func owned(err error) error {
	if _, held := errors.AsType[*owner.HeldError](err); held {
		return exitcode.With(exitcode.Owned, err)
	}
	return err
}
