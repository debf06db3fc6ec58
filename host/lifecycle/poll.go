package lifecycle

import "time"

// pollInterval is how often a runtime without events is looked at.
const pollInterval = 500 * time.Millisecond

// poll makes up for the events of a runtime that has none: it looks at the
// containers again and again.
func (m *Manager) poll() {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		select {
		case <-m.base.Done():
			return
		case <-ticker.C:
			if err := m.look(false); err != nil && m.base.Err() == nil {
				m.logger.Warn("could not look at the containers", "error", err)
			}
		}
	}
}
