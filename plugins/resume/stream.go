package resume

import "time"

const (
	tries = 3
	pause = 200 * time.Millisecond
	// steady is how long a stream has to last to count as one that works.
	steady = 10 * time.Second
	// slack is how far from the order of their times events may be: each process
	// of podman writes its own.
	slack = 5 * time.Second
	// rememberedLeast is how many events are remembered before it is looked for
	// those that can be forgotten.
	rememberedLeast = 1024
)

// Stream is how far somebody has heard. It is for one goroutine.
type Stream struct {
	// since is where it began.
	since time.Time
	last  time.Time
	// known are the events that were heard, with their times.
	known map[string]time.Time
	// most is how many of them make it time to forget.
	most int
	// failed counts the ends in a row before which nothing was heard.
	failed int
}

// Since returns a Stream that begins at that time.
func Since(since time.Time) *Stream {
	return &Stream{since: since, known: map[string]time.Time{}, most: rememberedLeast}
}

// From is the time from which on something may not have been heard.
func (s *Stream) From() time.Time {
	if back := s.last.Add(-slack); back.After(s.since) {
		return back
	}
	return s.since
}

// Heard remembers an event, and says whether it was heard before. What happened
// is whatever tells it from others of the same time.
func (s *Stream) Heard(happened string, at time.Time) bool {
	key := at.UTC().Format(time.RFC3339Nano) + " " + happened
	if _, known := s.known[key]; known {
		return true
	}
	s.failed = 0
	if at.After(s.last) {
		s.last = at
	}
	s.known[key] = at
	if len(s.known) > s.most {
		s.forget()
	}
	return false
}

// forget leaves out what can't come again.
func (s *Stream) forget() {
	from := s.From()
	for key, at := range s.known {
		if at.Before(from) {
			delete(s.known, key)
		}
	}
	s.most = max(rememberedLeast, 2*len(s.known))
}

// Ended says whether the events are to be asked for again, and after which
// pause. Those that have ended went on for that long.
func (s *Stream) Ended(lasted time.Duration) (after time.Duration, again bool) {
	if lasted > steady {
		s.failed = 0
	}
	s.failed++
	if s.failed == 1 {
		return 0, true
	}
	return pause, s.failed <= tries
}
