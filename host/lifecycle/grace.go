package lifecycle

import "time"

// SetGrace sets the grace period of every resource for the stops to come,
// whatever its own. Zero kills at once.
func (m *Manager) SetGrace(grace time.Duration) {
	m.inbox.post(func() { m.options.Grace = &grace })
}
