package enginelog

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Wherever each stream of a followed log has stopped, the rest makes it whole,
// and nothing comes twice: not even the pieces of a line, which share their time.
func TestTheRestMakesALogWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		var log []sdk.LogEntry
		streams := map[sdk.Stream]int{}
		for i := range rapid.IntRange(1, 40).Draw(t, "entries") {
			at = at.Add(time.Duration(rapid.IntRange(0, 2).Draw(t, "pause")) * 100 * time.Millisecond)
			stream := rapid.SampledFrom([]sdk.Stream{sdk.Stdout, sdk.Stderr}).Draw(t, "stream")
			streams[stream]++
			log = append(log, sdk.LogEntry{Stream: stream, Time: at, Data: fmt.Append(nil, i)})
		}
		came := map[string]int{}
		note := func(entry sdk.LogEntry) error {
			came[string(entry.Data)]++
			return nil
		}
		sink, place := Wanted{}.Sink(note)
		told := map[sdk.Stream]int{sdk.Stdout: rapid.IntRange(0, streams[sdk.Stdout]).Draw(t, "stdout"), sdk.Stderr: rapid.IntRange(0, streams[sdk.Stderr]).Draw(t, "stderr")}
		for _, entry := range log {
			if told[entry.Stream]--; told[entry.Stream] >= 0 {
				sink(entry)
			}
		}
		before := *place
		rest, end := Wanted{After: &before}.Sink(note)
		for _, entry := range log {
			rest(entry)
		}
		for i := range log {
			if n := came[fmt.Sprint(i)]; n != 1 {
				t.Fatalf("entry %d of %d came %d times", i, len(log), n)
			}
		}
		// What has been read to its end has no rest.
		again, _ := Wanted{After: end}.Sink(func(entry sdk.LogEntry) error { return fmt.Errorf("%s comes again", entry.Data) })
		for _, entry := range log {
			if err := again(entry); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// The rest is looked for a moment before the last entry, since streams aren't
// quite in the order of their times.
func TestFromWhereTheRestIsRead(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	place := &Place{}
	if place.Began() || !place.Since().IsZero() {
		t.Error("a log of which nothing was told has begun")
	}
	place.note(sdk.LogEntry{Stream: sdk.Stderr, Time: at})
	place.note(sdk.LogEntry{Stream: sdk.Stdout, Time: at.Add(time.Minute)})
	if want := at.Add(time.Minute - lookBack); !place.Began() || !place.Since().Equal(want) {
		t.Errorf("Since() = %s, want %s", place.Since(), want)
	}
}
