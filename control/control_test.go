package control

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lightshuttle/lightshuttle/host/lifecycle"
	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/fake"
)

func TestBeforeThereIsAStack(t *testing.T) {
	s := newStage(t)
	info, err := s.Info(t.Context())
	must(t, err)
	if info.Project != "shop" || info.PID != os.Getpid() || info.Version != "1.2" {
		t.Errorf("Info() = %+v", info)
	}
	if resources, err := s.Resources(t.Context()); err != nil || len(resources) != 0 {
		t.Errorf("Resources() = %v, %v", resources, err)
	}
	if err := s.Operate(t.Context(), Restart, "db", false); !sdk.IsCode(err, sdk.CodeConflict) {
		t.Errorf("Operate() = %v, want a conflict", err)
	}
	if events := s.collect(0, false, "", ""); len(events) != 0 {
		t.Errorf("Events() = %v", events)
	}
	grace := sdk.Duration(1500 * time.Millisecond)
	must(t, s.Down(t.Context(), Down{Grace: &grace}))
	if asked := <-s.downs; asked.Grace == nil || *asked.Grace != grace || asked.Kill {
		t.Errorf("it was asked for %+v", asked)
	}
	must(t, s.Down(t.Context(), Down{Kill: true}))
	if asked := <-s.downs; asked.Grace != nil || !asked.Kill {
		t.Errorf("it was asked for %+v", asked)
	}
}

func TestResourcesAreTheManagersSnapshot(t *testing.T) {
	s := newStage(t)
	s.start(nil)
	got, err := s.Resources(t.Context())
	must(t, err)
	want := s.manager.Snapshot()
	if len(got) != 2 || len(want) != 2 {
		t.Fatalf("Resources() = %+v", got)
	}
	for i := range want {
		if got[i].Name != want[i].Name || got[i].State != want[i].State || got[i].Ready != want[i].Ready || got[i].ID != want[i].ID || !got[i].Since.Equal(want[i].Since) {
			t.Errorf("Resources() = %+v\nwant %+v", got[i], want[i])
		}
	}
}

func TestOperationsReachTheStack(t *testing.T) {
	s := newStage(t)
	s.start(nil)
	before := len(s.runtime.CallsOf("start", "db"))
	must(t, s.Operate(t.Context(), Restart, "db", false))
	if after := len(s.runtime.CallsOf("start", "db")); after != before+1 {
		t.Errorf("db was started %d times, want %d", after, before+1)
	}
	if err := s.Operate(t.Context(), "explode", "db", false); !sdk.IsCode(err, sdk.CodeInvalid) {
		t.Errorf("Operate(explode) = %v", err)
	}
}

func TestErrorsComeOutAsTheyWere(t *testing.T) {
	s := newStage(t)
	s.start(nil)
	err := s.Operate(t.Context(), Restart, "nobody", false)
	typed, ok := errors.AsType[*sdk.Error](err)
	if !ok || typed.Code != sdk.CodeNotFound || typed.Op != "restart" || typed.Resource != "nobody" {
		t.Errorf("Operate(nobody) = %#v", err)
	}
	for _, want := range []*sdk.Error{
		{Code: sdk.CodeExited, Op: "restart", Resource: "db", Err: errBroken, Hint: "mend it", ExitCode: 7, Output: "no such\x1b file"},
		{Code: sdk.CodeInternal},
	} {
		got, ok := errors.AsType[*sdk.Error](problemOf(want).err())
		if !ok || got.Error() != want.Error() || got.Code != want.Code || got.Hint != want.Hint || got.ExitCode != want.ExitCode || got.Output != want.Output {
			t.Errorf("%#v became %#v", want, got)
		}
	}
	wrapped := errors.Join(errors.New("first"), &sdk.Error{Code: sdk.CodeTimeout, Err: errBroken, Hint: "wait"})
	got, _ := errors.AsType[*sdk.Error](problemOf(wrapped).err())
	if got.Code != sdk.CodeTimeout || got.Hint != "wait" || !strings.Contains(got.Error(), "first") || !strings.Contains(got.Error(), "broken") {
		t.Errorf("joined errors became %#v", got)
	}
}

func TestEveryCodeHasAnErrorStatus(t *testing.T) {
	for _, code := range []sdk.Code{sdk.CodeInvalid, sdk.CodeNotFound, sdk.CodeConflict, sdk.CodeUnsupported, sdk.CodeUnavailable, sdk.CodeTimeout, sdk.CodeInternal, "novel"} {
		if status := (problem{Code: code}).status(); status < 400 {
			t.Errorf("%s has the status %d", code, status)
		}
	}
}

// slowStop makes a restart of db last long enough to be looked at.
var slowStop = map[string]fake.Script{"db": {Stop: fake.Phase{Delay: 500 * time.Millisecond}}}

// A client that goes away ends its own wait. The restart goes on to its end.
func TestAClientThatGoesAwayEndsOnlyItsWait(t *testing.T) {
	s := newStage(t)
	s.start(slowStop)
	last := s.manager.Events().Last()
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("gone")
	ended := make(chan error, 1)
	go func() { ended <- s.Operate(ctx, Restart, "db", false) }()
	s.collect(last, true, lifecycle.ResourceRestarting, "db")
	cancel(gone)
	if err := <-ended; !errors.Is(err, gone) {
		t.Errorf("Operate() = %v", err)
	}
	s.collect(last, true, lifecycle.ResourceReady, "db")
}

func TestDetachedOperationsReturnOnceTheyHaveBegun(t *testing.T) {
	s := newStage(t)
	s.start(slowStop)
	last := s.manager.Events().Last()
	must(t, s.Operate(t.Context(), Restart, "db", true))
	// What is refused is refused at once, too.
	if err := s.Operate(t.Context(), Restart, "db", true); !sdk.IsCode(err, sdk.CodeConflict) {
		t.Errorf("a second restart: %v, want a conflict", err)
	}
	if err := s.Operate(t.Context(), Restart, "nobody", true); !sdk.IsCode(err, sdk.CodeNotFound) {
		t.Errorf("a restart of nobody: %v", err)
	}
	s.collect(last, true, lifecycle.ResourceReady, "db")
}

func TestEventsSinceMissNothing(t *testing.T) {
	s := newStage(t)
	s.start(nil)
	all := s.collect(0, false, "", "")
	if len(all) == 0 || all[len(all)-1].Type != lifecycle.StackStarted {
		t.Fatalf("Events() = %v", all)
	}
	for since := range all {
		rest := s.collect(uint64(since), false, "", "")
		if !slices.EqualFunc(rest, all[since:], func(a, b lifecycle.Event) bool { return a.Seq == b.Seq && a.Type == b.Type && a.Resource == b.Resource }) {
			t.Errorf("since %d: %v\nwant %v", since, rest, all[since:])
		}
	}
	if rest := s.collect(uint64(len(all)), false, "", ""); len(rest) != 0 {
		t.Errorf("after the last there is %v", rest)
	}
}

// A number that this run has not come to is from another run, whose reader
// would wait for ever.
func TestEventsSinceAnotherRunBeginAgain(t *testing.T) {
	s := newStage(t)
	s.start(nil)
	events := s.collect(1_000_000, false, "", "")
	if len(events) < 2 || events[0].Type != EventsRestarted || events[1].Seq != 1 {
		t.Errorf("Events() = %v", events)
	}
}

func TestEventsGoOnUntilTheStackEnds(t *testing.T) {
	s := newStage(t)
	type read struct {
		events []lifecycle.Event
		err    error
	}
	done, began := make(chan read, 1), make(chan struct{}, 1)
	go func() {
		var r read
		for event, err := range s.Events(context.WithoutCancel(t.Context()), 0, true) {
			if err != nil {
				r.err = err
				break
			}
			r.events = append(r.events, event)
			select {
			case began <- struct{}{}:
			default:
			}
		}
		done <- r
	}()
	s.start(nil)
	<-began
	must(t, s.manager.Stop(t.Context()))
	s.manager.Close()
	s.server.Close()
	r := <-done
	must(t, r.err)
	if len(r.events) == 0 || r.events[len(r.events)-1].Type != lifecycle.StackStopped {
		t.Errorf("the reader got %v, want all to the end", r.events)
	}
	for i, event := range r.events {
		if event.Seq != uint64(i+1) {
			t.Errorf("event %d has the number %d", i+1, event.Seq)
		}
	}
}

// A reader that doesn't read is told what it missed when it reads again, and
// holds up nobody.
func TestASlowReaderIsToldWhatItMissed(t *testing.T) {
	s := newStage(t)
	s.start(nil)
	var got []lifecycle.Event
	const restarts = 3000
	for event, err := range s.Events(t.Context(), 0, true) {
		must(t, err)
		got = append(got, event)
		if len(got) == 1 {
			for range restarts {
				must(t, s.manager.Restart(t.Context(), "db"))
			}
			must(t, s.manager.Stop(t.Context()))
		}
		if event.Type == lifecycle.StackStopped {
			break
		}
	}
	missed := uint64(0)
	for _, event := range got {
		missed += event.Missed
	}
	last := got[len(got)-1]
	if missed == 0 {
		t.Fatalf("of %d events none was missed; the test has to make more", last.Seq)
	}
	markers := uint64(len(slices.DeleteFunc(slices.Clone(got), func(e lifecycle.Event) bool { return e.Type != lifecycle.EventsMissed })))
	if heard := uint64(len(got)) - markers; heard+missed != last.Seq {
		t.Errorf("%d heard and %d missed make not %d", heard, missed, last.Seq)
	}
}

func TestNobodyListens(t *testing.T) {
	s := newStage(t)
	s.server.Close()
	if _, err := s.Info(t.Context()); !errors.Is(err, ErrNobody) {
		t.Errorf("Info() = %v", err)
	}
	if _, err := os.Lstat(s.path); !os.IsNotExist(err) {
		t.Errorf("the socket is still there: %v", err)
	}
}

// leaveSocket makes what a killed server leaves.
func leaveSocket(t *testing.T, path string) {
	t.Helper()
	listening, err := net.Listen("unix", path)
	must(t, err)
	listening.(*net.UnixListener).SetUnlinkOnClose(false)
	must(t, listening.Close())
}

func TestL17AStaleSocketIsReplaced(t *testing.T) {
	path := socketPath(t)
	leaveSocket(t, path)
	client := NewClient(path)
	defer client.Close()
	if _, err := client.Info(t.Context()); !errors.Is(err, ErrNobody) {
		t.Errorf("Info() = %v", err)
	}
	server, err := Serve(path, Options{Info: Info{Project: "shop"}})
	must(t, err)
	defer server.Close()
	if info, err := client.Info(t.Context()); err != nil || info.Project != "shop" {
		t.Errorf("Info() = %v, %v", info, err)
	}
	mode, err := os.Stat(path)
	must(t, err)
	if mode.Mode().Perm() != 0o600 {
		t.Errorf("its mode is %o", mode.Mode().Perm())
	}
}

func TestWhatIsNoSocketIsLeftAlone(t *testing.T) {
	path := socketPath(t)
	must(t, os.WriteFile(path, []byte("precious"), 0o600))
	if _, err := Serve(path, Options{}); !sdk.IsCode(err, sdk.CodeInvalid) || !strings.Contains(err.Error(), "is no socket") {
		t.Errorf("Serve() = %v", err)
	}
	if data, _ := os.ReadFile(path); string(data) != "precious" {
		t.Errorf("it was changed to %q", data)
	}
	client := NewClient(path)
	defer client.Close()
	if _, err := client.Info(t.Context()); !sdk.IsCode(err, sdk.CodeInvalid) {
		t.Errorf("Info() = %v", err)
	}
}

func TestTheSocketOfAnotherUserIsRefused(t *testing.T) {
	path := socketPath(t)
	leaveSocket(t, path)
	must(t, ours(path, os.Getuid()))
	err := ours(path, os.Getuid()+1)
	if !sdk.IsCode(err, sdk.CodeInvalid) || !strings.Contains(err.Error(), "belongs to user") || !strings.Contains(err.Error(), "XDG_RUNTIME_DIR") {
		t.Errorf("ours() = %v", err)
	}
}

// A process that was stopped takes connections, since the system does that for
// it, and never answers.
func TestAServerThatDoesNotAnswerIsGivenUp(t *testing.T) {
	path := socketPath(t)
	listening, err := net.Listen("unix", path)
	must(t, err)
	defer listening.Close()
	client := NewClient(path)
	defer client.Close()
	if _, err := client.Info(t.Context()); !sdk.IsCode(err, sdk.CodeUnavailable) || !strings.Contains(err.Error(), "no answer within") {
		t.Errorf("Info() = %v", err)
	}
	for _, err := range client.Events(t.Context(), 0, true) {
		if !sdk.IsCode(err, sdk.CodeUnavailable) {
			t.Errorf("Events() = %v", err)
		}
	}
}

// Who follows the events of a process that is killed hears that it is over.
func TestAServerThatDiesEndsItsStreams(t *testing.T) {
	s := newStage(t)
	s.start(nil)
	failed := false
	for event, err := range s.Events(t.Context(), 0, true) {
		if err != nil {
			failed = true
			break
		}
		if event.Type == lifecycle.StackStarted {
			_ = s.server.http.Close()
		}
	}
	if !failed {
		t.Error("the stream ended as if all were well")
	}
}

func TestANumberThatIsNone(t *testing.T) {
	for text, want := range map[string]uint64{"": 0, "0": 0, "17": 17} {
		if got, err := parseSince(text); err != nil || got != want {
			t.Errorf("parseSince(%q) = %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"-1", "one", "1.5", "99999999999999999999999"} {
		if _, err := parseSince(text); !sdk.IsCode(err, sdk.CodeInvalid) {
			t.Errorf("parseSince(%q) = %v", text, err)
		}
	}
}
