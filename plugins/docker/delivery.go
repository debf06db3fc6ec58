package docker

import (
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// lookBack is how far before the last message the rest of a log is looked for:
// the two streams of a container aren't quite in the order of their times.
const lookBack = time.Second

// delivery remembers how far a followed log was handed on, so that its rest can
// be read without giving anything twice.
type delivery struct {
	options sdk.LogOptions
	began   time.Time
	first   time.Time
	last    time.Time
	streams map[sdk.Stream]*position
	// refused says that the sink failed at the rest.
	refused bool
}

// position is the time of a stream's last message, and how many had that time:
// the pieces of a long line share one.
type position struct {
	at    time.Time
	count int
}

func newDelivery(options sdk.LogOptions) *delivery {
	return &delivery{options: options, began: time.Now(), streams: map[sdk.Stream]*position{sdk.Stdout: {}, sdk.Stderr: {}}}
}

// note returns a sink that remembers what goes through it.
func (d *delivery) note(sink func(sdk.LogEntry) error) func(sdk.LogEntry) error {
	return func(entry sdk.LogEntry) error {
		if d.first.IsZero() {
			d.first = entry.Time
		}
		if entry.Time.After(d.last) {
			d.last = entry.Time
		}
		if p := d.streams[entry.Stream]; !entry.Time.Equal(p.at) {
			*p = position{at: entry.Time}
		}
		d.streams[entry.Stream].count++
		return sink(entry)
	}
}

// since is the time from which on something may be missing.
func (d *delivery) since() time.Time {
	since := d.options.Since
	if d.last.IsZero() && d.options.Tail == 0 {
		since = d.began
	}
	if back := d.last.Add(-lookBack); !d.last.IsZero() && back.After(since) {
		since = back
	}
	return since
}

// rest returns a sink that leaves out what was handed on, and what a tail left
// out.
func (d *delivery) rest(sink func(sdk.LogEntry) error) func(sdk.LogEntry) error {
	seen := map[sdk.Stream]int{}
	return func(entry sdk.LogEntry) error {
		p := d.streams[entry.Stream]
		if entry.Time.Before(p.at) || d.options.Tail >= 0 && entry.Time.Before(d.first) {
			return nil
		}
		if entry.Time.Equal(p.at) && seen[entry.Stream] < p.count {
			seen[entry.Stream]++
			return nil
		}
		err := sink(entry)
		d.refused = err != nil
		return err
	}
}
