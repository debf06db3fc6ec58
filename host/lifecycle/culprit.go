package lifecycle

import (
	"context"
	"strings"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

const (
	culpritLines   = 20
	culpritTimeout = 3 * time.Second
)

// keepLogs adds the last lines of a failed resource to its failure, before the
// rollback removes the container and its logs with it (L7).
func (m *Manager) keepLogs(r *resource, failure *Failure) {
	logger, ok := m.runtime.(sdk.Logger)
	if !ok || r.id == "" || r.gone {
		return
	}
	id := r.id
	var lines []string
	m.spawn(func() error {
		ctx, cancel := context.WithTimeout(m.base, culpritTimeout)
		defer cancel()
		var err error
		lines, err = lastLines(ctx, logger, id)
		return err
	}, func(err error) {
		if err != nil {
			m.logger.Warn("could not read the last lines of a failed resource", "resource", failure.Resource, "error", err)
		}
		failure.Logs = lines
	})
}

func lastLines(ctx context.Context, logger sdk.Logger, id string) ([]string, error) {
	var text strings.Builder
	err := logger.Logs(ctx, id, sdk.LogOptions{Tail: culpritLines}, func(entry sdk.LogEntry) error {
		text.Write(entry.Data)
		return nil
	})
	all := strings.TrimRight(text.String(), "\r\n")
	if all == "" {
		return nil, err
	}
	lines := strings.Split(all, "\n")
	return lines[max(0, len(lines)-culpritLines):], err
}
