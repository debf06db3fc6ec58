package lifecycle

// Last is the number of the newest event; 0 before the first.
func (l *EventLog) Last() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}
