package enginelog

import (
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Wanted says which part of a log to hand on, and what it looks like.
type Wanted struct {
	// Since leaves out what is older.
	Since time.Time `json:"since,omitzero"`
	// After leaves out what was handed on until there; nil means nothing was.
	After *Place `json:"after,omitempty"`
	// Pieces says that pieces of a line have times of their own, which are taken
	// out. Only for lines.
	Pieces bool `json:"pieces,omitempty"`
}

// End is how the reading of a log has ended.
type End struct {
	Place Place `json:"place"`
	// Words are what a log command said on its own behalf: lines of its stderr
	// that have no time. At most 64 KiB of them are kept.
	Words string `json:"words,omitempty"`
}

// Place is how far a log has been handed on.
type Place struct {
	// First is the time of the first entry; it is zero when there was none.
	First  time.Time `json:"first,omitzero"`
	Stdout Last      `json:"stdout,omitzero"`
	Stderr Last      `json:"stderr,omitzero"`
}

// Last is the time of a stream's last entry, and how many had that time: the
// pieces of a long line share one.
type Last struct {
	Time  time.Time `json:"time,omitzero"`
	Count int       `json:"count,omitempty"`
}

// lookBack is how far before the last entry the rest of a log is looked for: the
// two streams of a container aren't quite in the order of their times.
const lookBack = time.Second

// Began says whether anything was handed on.
func (p *Place) Began() bool { return !p.First.IsZero() }

// Since is the time from which on something may be missing; zero when nothing
// was handed on.
func (p *Place) Since() time.Time {
	if !p.Began() {
		return time.Time{}
	}
	last := p.Stdout.Time
	if p.Stderr.Time.After(last) {
		last = p.Stderr.Time
	}
	return last.Add(-lookBack)
}

func (p *Place) last(stream sdk.Stream) *Last {
	if stream == sdk.Stderr {
		return &p.Stderr
	}
	return &p.Stdout
}

func (p *Place) note(entry sdk.LogEntry) {
	if !p.Began() {
		p.First = entry.Time
	}
	last := p.last(entry.Stream)
	if !entry.Time.Equal(last.Time) {
		*last = Last{Time: entry.Time}
	}
	last.Count++
}

// Sink returns a sink that hands on only what is wanted, and the place that it
// keeps up to date.
func (w Wanted) Sink(sink func(sdk.LogEntry) error) (func(sdk.LogEntry) error, *Place) {
	place, known := &Place{}, Place{}
	if w.After != nil {
		*place, known = *w.After, *w.After
	}
	return func(entry sdk.LogEntry) error {
		last := known.last(entry.Stream)
		switch {
		case entry.Time.Before(w.Since), entry.Time.Before(last.Time):
			return nil
		case entry.Time.Equal(last.Time) && last.Count > 0:
			last.Count--
			return nil
		}
		place.note(entry)
		return sink(entry)
	}, place
}
