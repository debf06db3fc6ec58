package lifecycle

import (
	"context"
	"os"
)

// Run starts the stack, watches over it until a signal comes or ctx ends, and
// stops it.
//
// A signal during the start ends it and rolls it back; the [*StartError] then
// wraps an [*InterruptedError]. A signal afterwards stops the stack, which is a
// success. A second signal kills everything at once, and everything is still
// removed. The caller has the signals sent to the channel (see
// os/signal.Notify) before anything else happens.
func (m *Manager) Run(ctx context.Context, signals <-chan os.Signal) error {
	interrupted, err := m.runStart(ctx, signals)
	if err != nil {
		return err
	}
	var result error
	select {
	case <-interrupted:
	case <-signals:
	case <-ctx.Done():
		result = context.Cause(ctx)
	case exited := <-m.aborted:
		result = exited
	}
	if err := m.runStop(signals); err != nil {
		return err
	}
	return result
}

// runStart starts the stack. The channel that it returns is closed if a signal
// came at the very end, too late to end the start.
func (m *Manager) runStart(ctx context.Context, signals <-chan os.Signal) (<-chan struct{}, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	started := make(chan error, 1)
	go func() { started <- m.Start(ctx) }()
	interrupted, came := make(chan struct{}), false
	for {
		select {
		case err := <-started:
			return interrupted, err
		case signal := <-signals:
			if came {
				m.Kill()
				continue
			}
			came = true
			close(interrupted)
			cancel(&InterruptedError{Signal: signal})
		}
	}
}

// runStop stops the stack. It isn't bound to Run's context: what was started is
// stopped, whatever ended the wait.
func (m *Manager) runStop(signals <-chan os.Signal) error {
	stopped := make(chan error, 1)
	go func() { stopped <- m.Stop(context.Background()) }()
	for {
		select {
		case err := <-stopped:
			return err
		case <-signals:
			m.Kill()
		}
	}
}
