package directory_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/directory"
)

// reader hears what is delivered of project p.
type reader struct {
	*directory.Directory
	heard chan directory.Heard
	got   []string
	// closed says how Deliver has ended; known when ended is closed.
	closed bool
	ended  chan struct{}
}

func listen(ctx context.Context, find func(context.Context, string) (directory.Identity, bool)) *reader {
	r := &reader{Directory: directory.New(), heard: make(chan directory.Heard), ended: make(chan struct{})}
	out := make(chan sdk.Event)
	go func() {
		defer close(out)
		r.closed = r.Deliver(ctx, "p", r.heard, out, find)
	}()
	go func() {
		defer close(r.ended)
		for event := range out {
			r.got = append(r.got, fmt.Sprintf("%s %s of %s", event.Type, event.ID, event.Resource))
		}
	}()
	return r
}

func (r *reader) tell(id string, types ...sdk.EventType) {
	for _, kind := range types {
		r.heard <- directory.Heard{Event: sdk.Event{Type: kind, ID: id}}
	}
}

func (r *reader) want(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	if !slices.Equal(r.got, want) {
		t.Errorf("heard\n%s\nwanted\n%s", strings.Join(r.got, "\n"), strings.Join(want, "\n"))
	}
}

func nobody(context.Context, string) (directory.Identity, bool) { return directory.Identity{}, false }

func of(resource string) directory.Identity {
	return directory.Identity{Name: "p." + resource, Project: "p", Resource: resource}
}

func TestWhatIsKnownIsPassedOnAtOnceAndWhatIsAnothersIsNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := listen(t.Context(), nobody)
		r.Put("1", of("db"))
		r.Put("2", directory.Identity{Project: "q", Resource: "db"})
		r.Put("3", directory.Identity{})
		r.tell("1", sdk.EventStarted)
		r.tell("2", sdk.EventStarted)
		r.tell("3", sdk.EventStarted)
		r.tell("4", sdk.EventStarted)
		r.tell("", sdk.EventLost)
		r.tell("1", sdk.EventExited)
		close(r.heard)
		<-r.ended
		r.want(t, "started 1 of db", "lost  of ", "exited 1 of db")
		if !r.closed {
			t.Error("it doesn't say that the events have ended")
		}
	})
}

func TestTheEventsOfOneThatIsBeingStartedWaitForItsIDInOrderAndHoldUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := listen(t.Context(), nobody)
		r.Put("1", of("db"))
		begun := r.Starting()
		other := r.Starting()
		r.tell("2", sdk.EventStarted, sdk.EventExited, sdk.EventRemoved)
		r.tell("3", sdk.EventStarted)
		r.tell("1", sdk.EventExited)
		r.want(t, "exited 1 of db")
		r.Put("2", of("job"))
		begun()
		r.want(t, "exited 1 of db", "started 2 of job", "exited 2 of job", "removed 2 of job")
		other() // nobody has started 3
		r.tell("1", sdk.EventRemoved)
		close(r.heard)
		<-r.ended
		r.want(t, "exited 1 of db", "started 2 of job", "exited 2 of job", "removed 2 of job", "removed 1 of db")
	})
}

func TestWhatTheEngineSaysOfAContainerIsNoted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := listen(t.Context(), nobody)
		labels := map[string]string{sdk.LabelProject: "p", sdk.LabelResource: "db"}
		whose := directory.Labelled("/p.db", labels)
		r.heard <- directory.Heard{Event: sdk.Event{ID: "1"}, Whose: &whose}
		r.tell("1", sdk.EventStarted)
		close(r.heard)
		<-r.ended
		r.want(t, "started 1 of db")
		if known, ok := r.Get("1"); !ok || known != of("db") {
			t.Errorf("it knows %+v, %v", known, ok)
		}
	})
}

func TestALookDecidesWhereNoStartDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var looks atomic.Int32
		r := listen(t.Context(), func(ctx context.Context, id string) (directory.Identity, bool) {
			looks.Add(1)
			<-time.After(time.Second) // virtual time
			return of("r" + id), id != "2"
		})
		r.tell("1", sdk.EventStarted, sdk.EventExited)
		r.tell("2", sdk.EventStarted)
		<-time.After(2 * time.Second)
		r.want(t, "started 1 of r1", "exited 1 of r1")
		if looks.Load() != 2 {
			t.Errorf("%d looks", looks.Load())
		}
		close(r.heard)
		<-r.ended
	})
}

func TestTheEndOfItsContextEndsDelivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		r := listen(ctx, func(ctx context.Context, _ string) (directory.Identity, bool) {
			<-ctx.Done()
			return directory.Identity{}, false
		})
		begun := r.Starting()
		defer begun()
		r.tell("1", sdk.EventStarted)
		cancel()
		<-r.ended
		if r.closed {
			t.Error("it says that the events have ended")
		}
	})
}

func TestTheEndOfTheEventsIsToldThoughSomethingStillWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := listen(t.Context(), nobody)
		begun := r.Starting()
		defer begun()
		r.tell("1", sdk.EventStarted)
		close(r.heard)
		<-r.ended
		if !r.closed {
			t.Error("it doesn't say that the events have ended")
		}
	})
}

// Some engines give an id again, such as a name. Then it is the latest's.
func TestAnIDThatIsGivenAgainIsTheLatests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := listen(t.Context(), nobody)
		r.Put("web", of("old"))
		r.tell("web", sdk.EventRemoved)
		r.want(t, "removed web of old")
		r.Put("web", of("new"))
		r.tell("web", sdk.EventStarted)
		// So many others are removed that the old one would be forgotten.
		for i := range 2000 {
			id := fmt.Sprint(i)
			r.Put(id, directory.Identity{Project: "q"})
			r.tell(id, sdk.EventRemoved)
		}
		r.tell("web", sdk.EventExited)
		close(r.heard)
		<-r.ended
		r.want(t, "removed web of old", "started web of new", "exited web of new")
	})
}
