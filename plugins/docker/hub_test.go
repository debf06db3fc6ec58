package docker

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/docker/docker/api/types/events"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// stream is what a fake engine says on its event streams.
type fakeStream struct {
	opened chan *http.Request
	events chan events.Message
	end    chan struct{}
}

func newStream() *fakeStream {
	return &fakeStream{opened: make(chan *http.Request, 10), events: make(chan events.Message), end: make(chan struct{})}
}

func (s *fakeStream) serve(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(http.StatusOK)
	w.(http.Flusher).Flush()
	s.opened <- r
	for {
		select {
		case event := <-s.events:
			if json.NewEncoder(w).Encode(event) != nil {
				return
			}
			w.(http.Flusher).Flush()
		case <-s.end:
			return
		case <-r.Context().Done():
			return
		}
	}
}

func (s *fakeStream) send(action, id string, attributes map[string]string) {
	all := map[string]string{"name": "n-" + id, sdk.LabelProject: "p", sdk.LabelResource: "web"}
	for key, value := range attributes {
		all[key] = value
	}
	s.events <- events.Message{Type: "container", Action: events.Action(action), Actor: events.Actor{ID: id, Attributes: all}, TimeNano: 1_700_000_000_000_000_001}
}

func TestOneStreamForAll(t *testing.T) {
	stream := newStream()
	_, r := newFake(t, "1.41", map[string]http.HandlerFunc{"GET /events": stream.serve})
	ctx, cancel := context.WithCancel(t.Context())
	first, err := r.Watch(ctx, "p", time.Time{})
	must(t, err)
	second, err := r.Watch(t.Context(), "p", time.Time{})
	must(t, err)
	request := <-stream.opened
	if since := request.URL.Query().Get("since"); since == "" {
		t.Error("no since")
	}
	stream.send("die", "c1", map[string]string{"exitCode": "3"})
	for _, watch := range []<-chan sdk.Event{first, second} {
		event := <-watch
		if event.Type != sdk.EventExited || event.ExitCode != 3 || event.Resource != "web" || event.ID != "c1" || event.Name != "n-c1" || event.Time.UnixNano() != 1_700_000_000_000_000_001 {
			t.Errorf("event %+v", event)
		}
	}
	cancel()
	for range first {
		t.Error("an event after the end")
	}
	stream.send("start", "c2", nil)
	if event := <-second; event.Type != sdk.EventStarted {
		t.Errorf("event %+v", event)
	}
	if len(stream.opened) > 0 {
		t.Error("there is a second stream")
	}
}

func TestALostStreamIsOpenedAgain(t *testing.T) {
	stream := newStream()
	_, r := newFake(t, "1.41", map[string]http.HandlerFunc{"GET /events": stream.serve})
	for range 3 {
		watch, err := r.Watch(t.Context(), "p", time.Time{})
		must(t, err)
		<-stream.opened
		stream.send("start", "c1", nil)
		if event := <-watch; event.Type != sdk.EventStarted {
			t.Errorf("event %+v", event)
		}
		stream.end <- struct{}{}
		event := <-watch
		if event.Type != sdk.EventLost {
			t.Errorf("event %+v", event)
		}
		wantError(t, event.Err, sdk.CodeUnavailable)
		if event, more := <-watch; more {
			t.Errorf("event %+v", event)
		}
	}
}

// podman ends its events when it begins another file of them, and tells of some
// twice then.
func TestPodmansStreamGoesOn(t *testing.T) {
	stream := newStream()
	_, r := newFake(t, "1.41", map[string]http.HandlerFunc{"GET /events": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Libpod-Api-Version", "4.3.1")
		stream.serve(w, r)
	}})
	watch, err := r.Watch(t.Context(), "p", time.Time{})
	must(t, err)
	for _, id := range []string{"c1", "c2", "c3"} {
		<-stream.opened
		stream.send("start", "c1", nil)
		stream.send("start", id, nil)
		if event := <-watch; event.Type != sdk.EventStarted || event.ID != id {
			t.Errorf("event %+v, wanted that of %s", event, id)
		}
		stream.end <- struct{}{}
	}
	for range 3 {
		<-stream.opened
		stream.end <- struct{}{}
	}
	if event := <-watch; event.Type != sdk.EventLost {
		t.Errorf("event %+v", event)
	}
}

func TestTheLastOneEndsTheStream(t *testing.T) {
	stream := newStream()
	_, r := newFake(t, "1.41", map[string]http.HandlerFunc{"GET /events": stream.serve})
	ctx, cancel := context.WithCancel(t.Context())
	watch, err := r.Watch(ctx, "p", time.Time{})
	must(t, err)
	request := <-stream.opened
	cancel()
	for range watch {
		t.Error("an event")
	}
	<-request.Context().Done()
}

// An engine that doesn't answer holds up nobody longer than they want.
func TestAStreamThatDoesNotOpen(t *testing.T) {
	asked := make(chan struct{}, 10)
	_, r := newFake(t, "1.41", map[string]http.HandlerFunc{
		"GET /events": func(_ http.ResponseWriter, r *http.Request) {
			asked <- struct{}{}
			<-r.Context().Done()
		},
	})
	patient, cancelPatient := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		_, err := r.Watch(patient, "p", time.Time{})
		failed <- err
	}()
	<-asked
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := r.Watch(ctx, "p", time.Time{})
	wantError(t, err, sdk.CodeTimeout)
	cancelPatient()
	wantError(t, <-failed, sdk.CodeCancelled)
}

func TestARefusedStream(t *testing.T) {
	_, r := newFake(t, "1.41", map[string]http.HandlerFunc{
		"GET /events": func(w http.ResponseWriter, _ *http.Request) { refuse(w, http.StatusInternalServerError, "it broke") },
	})
	for range 2 {
		_, err := r.Watch(t.Context(), "p", time.Time{})
		wantError(t, err, sdk.CodeInternal, "it broke")
	}
}

func TestWaitHealthyWhenTheEngineIsLost(t *testing.T) {
	stream := newStream()
	_, r := newFake(t, "1.41", map[string]http.HandlerFunc{
		"GET /events": stream.serve,
		"GET /containers/c1/json": func(w http.ResponseWriter, _ *http.Request) {
			say(w, map[string]any{"Id": "c1", "State": map[string]string{"Status": "running"}, "Config": map[string]any{}})
		},
		"POST /containers/c1/exec": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusCreated)
			say(w, map[string]string{"Id": "e"})
		},
		"POST /exec/e/start": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusOK)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		},
	})
	failed := make(chan error, 1)
	go func() {
		_, err := r.WaitHealthy(t.Context(), "c1", &sdk.Healthcheck{Test: []string{"x"}, Timeout: sdk.Duration(time.Hour)})
		failed <- err
	}()
	<-stream.opened
	close(stream.end)
	wantError(t, <-failed, sdk.CodeUnavailable)
}

func TestTranslate(t *testing.T) {
	for action, want := range map[string]sdk.EventType{
		"start": sdk.EventStarted, "die": sdk.EventExited, "died": sdk.EventExited, "oom": sdk.EventOOM, "pause": sdk.EventPaused,
		"unpause": sdk.EventUnpaused, "destroy": sdk.EventRemoved, "remove": sdk.EventRemoved,
		"health_status: healthy": sdk.EventHealthy, "health_status: unhealthy": sdk.EventUnhealthy,
		"health_status: starting": "", "exec_die": "", "exec_create: x": "", "create": "", "kill": "",
	} {
		message := events.Message{Action: events.Action(action), Actor: events.Actor{Attributes: map[string]string{sdk.LabelProject: "p"}}}
		event, ok := translate(message)
		if event.Type != want || ok != (want != "") {
			t.Errorf("%s: %q", action, event.Type)
		}
		message.Actor.Attributes = nil
		if event, ok := translate(message); ok {
			t.Errorf("not ours: %+v", event)
		}
	}
	podman := events.Message{Action: "health_status", Actor: events.Actor{Attributes: map[string]string{sdk.LabelProject: "p", "health_status": "healthy"}}}
	if event, _ := translate(podman); event.Type != sdk.EventHealthy {
		t.Errorf("podman: %+v", event)
	}
	died := events.Message{Action: "died", Time: 1_700_000_000, Actor: events.Actor{Attributes: map[string]string{sdk.LabelProject: "p", "containerExitCode": "4"}}}
	if event, _ := translate(died); event.ExitCode != 4 || event.Time.Unix() != 1_700_000_000 {
		t.Errorf("podman: %+v", event)
	}
}

// Who asks for the past gets it, whoever listens already.
func TestWatchSinceBesideAnother(t *testing.T) {
	s := newStage(t)
	_, err := s.Watch(t.Context(), s.project, time.Time{})
	must(t, err)
	since := time.Now()
	id := s.finished(t, s.spec("job", "exit", "3"))
	events, err := s.Watch(t.Context(), s.project, since)
	must(t, err)
	for event := range events {
		if event.ID == id && event.Type == sdk.EventExited && event.ExitCode == 3 {
			return
		}
	}
	t.Error("the past wasn't told")
}
