package lifecycle

import (
	"context"
	"iter"
	"sync"
)

// EventLog keeps the last events and lets any number of readers follow them,
// each at its own pace. No reader can hold up the program or another reader.
type EventLog struct {
	mu sync.Mutex
	// chunks are a ring of the last events; see at. They are made as they are
	// needed, and never copied.
	chunks [][]Event
	// last is the sequence number of the newest event, oldest that of the first
	// that is still there.
	last, oldest uint64
	capacity     uint64
	closed       bool
	// waiters is closed and dropped at the next event; nil when no reader waits.
	waiters chan struct{}
}

const chunkSize = 256

// newEventLog returns a log that keeps at least so many events.
func newEventLog(atLeast uint64) *EventLog {
	chunks := (atLeast + chunkSize - 1) / chunkSize
	return &EventLog{chunks: make([][]Event, chunks), capacity: chunks * chunkSize, oldest: 1}
}

// Since returns the events after the one numbered seq, first those that are
// kept, then those to come, until ctx ends or the manager is closed. A reader
// that comes too late for some of them gets one EventsMissed in their place.
func (l *EventLog) Since(ctx context.Context, seq uint64) iter.Seq[Event] {
	return func(yield func(Event) bool) {
		for {
			batch, more := l.after(seq)
			for _, event := range batch {
				if !yield(event) {
					return
				}
				seq = event.Seq
			}
			if len(batch) > 0 {
				continue
			}
			if more == nil {
				return
			}
			select {
			case <-ctx.Done():
				return
			case <-more:
			}
		}
	}
}

// batchLimit bounds what a reader copies at once.
const batchLimit = 256

// after copies the next events after seq. With none, it returns a channel that
// is closed when there may be some, or nil when there never will.
func (l *EventLog) after(seq uint64) ([]Event, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if seq >= l.last {
		if l.closed {
			return nil, nil
		}
		if l.waiters == nil {
			l.waiters = make(chan struct{})
		}
		return nil, l.waiters
	}
	var batch []Event
	if seq+1 < l.oldest {
		missed := l.oldest - 1 - seq
		batch = append(batch, Event{Seq: l.oldest - 1, Type: EventsMissed, Missed: missed, Time: l.at(l.oldest).Time})
		seq = l.oldest - 1
	}
	for next := seq + 1; next <= l.last && len(batch) < batchLimit; next++ {
		batch = append(batch, *l.at(next))
	}
	return batch, nil
}

// at returns the slot of an event: slots fill in order, then are used again.
func (l *EventLog) at(seq uint64) *Event {
	slot := (seq - 1) % l.capacity
	chunk := &l.chunks[slot/chunkSize]
	if *chunk == nil {
		*chunk = make([]Event, chunkSize)
	}
	return &(*chunk)[slot%chunkSize]
}

// append numbers the event and adds it.
func (l *EventLog) append(event Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	event.Seq = l.last
	if l.last-l.oldest == l.capacity {
		l.oldest++
	}
	*l.at(event.Seq) = event
	l.wake()
}

func (l *EventLog) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.wake()
}

func (l *EventLog) wake() {
	if l.waiters != nil {
		close(l.waiters)
		l.waiters = nil
	}
}
