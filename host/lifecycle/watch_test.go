package lifecycle

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/fake"
)

func TestExitAfterTheStartIsSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime := fake.New(nil)
		m := started(t, stackOf("db", "app < db"), runtime, Options{})
		runtime.Exit("db", 9)
		synctest.Wait()
		db := stateOf(t, m, "db")
		if db.State != Exited || db.Ready || db.ExitCode == nil || *db.ExitCode != 9 {
			t.Errorf("db is %+v, want it exited with 9", db)
		}
		if got := eventsOf(m); got[len(got)-1] != "resource_exited db" {
			t.Errorf("last event: %s", got[len(got)-1])
		}
	})
}

func TestRemovalFromOutsideIsSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime := fake.New(nil)
		m := started(t, stackOf("db"), runtime, Options{})
		runtime.RemoveOutside("db")
		synctest.Wait()
		if db := stateOf(t, m, "db"); db.State != Exited {
			t.Errorf("db is %s, want exited", db.State)
		}
		if err := m.Stop(t.Context()); err != nil {
			t.Errorf("Stop() of a container that is gone: %v", err)
		}
	})
}

func TestHealthAfterTheStartIsFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime := fake.New(nil)
		m := started(t, checked(stackOf("db"), "db"), runtime, Options{})
		runtime.SetHealth("db", sdk.HealthUnhealthy)
		synctest.Wait()
		if db := stateOf(t, m, "db"); db.State != Unhealthy || db.Ready {
			t.Errorf("db is %s, ready %v; want unhealthy, not ready", db.State, db.Ready)
		}
		runtime.SetHealth("db", sdk.HealthHealthy)
		synctest.Wait()
		if db := stateOf(t, m, "db"); db.State != Healthy || !db.Ready {
			t.Errorf("db is %s, ready %v; want healthy, ready", db.State, db.Ready)
		}
	})
}

func TestWhatHappenedWhileTheEngineWasLostIsSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime := fake.New(nil)
		m := started(t, stackOf("db", "app < db"), runtime, Options{})
		<-time.After(time.Second) // virtual time: a look must have begun after the start
		runtime.LoseEvents()
		runtime.Exit("db", 1)
		runtime.RemoveOutside("app")
		synctest.Wait()
		if db := stateOf(t, m, "db"); db.State != Exited {
			t.Errorf("db is %s, want exited", db.State)
		}
		if app := stateOf(t, m, "app"); app.State != Exited {
			t.Errorf("app is %s, want exited", app.State)
		}
	})
}

// bare hides every optional interface of the fake but listing.
type bare struct {
	sdk.Runtime
	sdk.Lister
}

func TestARuntimeWithoutEventsIsPolled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime := fake.New(scripts{"migrate": {Exits: true, ExitAfter: 5 * time.Second}})
		m := newManager(t, stackOf("migrate", "app < migrate:completed"), bare{runtime, runtime}, Options{})
		began := time.Now()
		if err := m.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 5*time.Second+pollInterval {
			t.Errorf("the end of migrate was seen after %s", took)
		}
		runtime.RemoveOutside("app")
		<-time.After(2 * pollInterval) // virtual time: until a look that began after its start
		synctest.Wait()
		if app := stateOf(t, m, "app"); app.State != Exited {
			t.Errorf("app is %s, want exited", app.State)
		}
	})
}

func TestARuntimeThatCanDoNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runtime := fake.New(nil)
		m := newManager(t, stackOf("db", "app < db"), struct{ sdk.Runtime }{runtime}, Options{})
		if err := m.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := m.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if stops := len(runtime.CallsOf("stop", "db")) + len(runtime.CallsOf("stop", "app")); stops < 2 {
			t.Errorf("%d containers were stopped, want both", stops)
		}
	})
}

func TestL16EventsAreNumberedAndCanBeReplayed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := started(t, stackOf("db", "app < db"), fake.New(nil), Options{})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		all := slices.Collect(m.Events().Since(ctx, 0))
		for i, event := range all {
			if event.Seq != uint64(i+1) {
				t.Errorf("event %d has number %d", i+1, event.Seq)
			}
			if event.Time.IsZero() {
				t.Errorf("event %d has no time", event.Seq)
			}
		}
		if tail := slices.Collect(m.Events().Since(ctx, 3)); !slices.Equal(tail, all[3:]) {
			t.Errorf("Since(3) = %v, want all after the third", tail)
		}
	})
}

func TestL16FollowingEndsWithTheManager(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, err := New(stackOf("db"), fake.New(nil), Options{})
		if err != nil {
			t.Fatal(err)
		}
		seen := make(chan int, 1)
		go func() {
			count := 0
			for range m.Events().Since(context.Background(), 0) {
				count++
			}
			seen <- count
		}()
		if err := m.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		m.Close()
		if count := <-seen; count != 5 {
			t.Errorf("a follower saw %d events, want all 5", count)
		}
		if db := stateOf(t, m, "db"); db.State != Running {
			t.Errorf("after Close db is %s", db.State)
		}
		if err := m.Stop(t.Context()); err == nil {
			t.Error("Stop after Close succeeds")
		}
	})
}

func TestL16ASlowReaderIsToldWhatItMissed(t *testing.T) {
	log := newEventLog(1)
	const more = 10
	for range chunkSize + more {
		log.append(Event{Type: StackStarted})
	}
	log.close()
	got := slices.Collect(log.Since(t.Context(), 2))
	if len(got) != 1+chunkSize {
		t.Fatalf("Since(2) has %d events, want a marker and the %d that are kept", len(got), chunkSize)
	}
	if marker := got[0]; marker.Type != EventsMissed || marker.Missed != more-2 || marker.Seq != more {
		t.Errorf("the first is %+v, want a marker for 3 to %d", marker, more)
	}
	if first, last := got[1].Seq, got[chunkSize].Seq; first != more+1 || last != chunkSize+more {
		t.Errorf("then from %d to %d, want from %d to %d", first, last, more+1, chunkSize+more)
	}
}
