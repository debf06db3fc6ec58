package enginelog

import (
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

const (
	// mergePause is how long a line of one stream waits for an older one of the
	// other: both come through pipes of their own.
	mergePause = 50 * time.Millisecond
	// backlog is how many lines of a stream wait to be merged.
	backlog = 16
)

// merge hands the entries of both streams on in the order of their times, as
// far as they come in time: a stream that has been silent for a moment isn't
// waited for until it speaks again.
func merge(stdout, stderr <-chan sdk.LogEntry, sink func(sdk.LogEntry) error) error {
	m := &merger{streams: [2]<-chan sdk.LogEntry{stdout, stderr}}
	timer := time.NewTimer(mergePause)
	defer timer.Stop()
	for m.fill(timer) {
		i := m.older()
		entry := *m.next[i]
		m.next[i] = nil
		if err := sink(entry); err != nil {
			return err
		}
	}
	return nil
}

type merger struct {
	streams [2]<-chan sdk.LogEntry
	next    [2]*sdk.LogEntry
	silent  [2]bool
}

// fill waits for something to hand on, and says whether there is.
func (m *merger) fill(timer *time.Timer) bool {
	for i := range m.streams {
		m.poll(i)
	}
	for m.next[0] == nil && m.next[1] == nil {
		if m.streams[0] == nil && m.streams[1] == nil {
			return false
		}
		select { // a nil channel never answers
		case entry, ok := <-m.streams[0]:
			m.took(0, entry, ok)
		case entry, ok := <-m.streams[1]:
			m.took(1, entry, ok)
		}
	}
	for i := range m.streams {
		if m.next[i] != nil || m.streams[i] == nil || m.silent[i] {
			continue
		}
		timer.Reset(mergePause)
		select {
		case entry, ok := <-m.streams[i]:
			m.took(i, entry, ok)
		case <-timer.C:
			m.silent[i] = true
		}
	}
	return true
}

func (m *merger) poll(i int) {
	if m.next[i] != nil {
		return
	}
	select {
	case entry, ok := <-m.streams[i]:
		m.took(i, entry, ok)
	default:
	}
}

func (m *merger) took(i int, entry sdk.LogEntry, ok bool) {
	if !ok {
		m.streams[i] = nil
		return
	}
	m.next[i] = &entry
	m.silent[i] = false
}

// older is the stream whose entry comes first.
func (m *merger) older() int {
	switch {
	case m.next[0] == nil:
		return 1
	case m.next[1] == nil, !m.next[1].Time.Before(m.next[0].Time):
		return 0
	}
	return 1
}
