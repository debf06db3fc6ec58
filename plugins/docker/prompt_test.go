package docker

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

const impatient = 50 * time.Millisecond

// An engine that accepts what it is asked and never answers doesn't hold up
// whoever asks.
func TestSilentEngine(t *testing.T) {
	var seen journal
	over := make(chan struct{})
	defer close(over)
	hang := func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-over:
		}
	}
	fake, _ := newFake(t, "1.41", map[string]http.HandlerFunc{
		"GET /containers/json":    hang,
		"GET /networks":           hang,
		"POST /containers/create": hang,
		"GET /containers/p-web/json": func(w http.ResponseWriter, _ *http.Request) {
			say(w, inspected("c1", "created", ownLabels("1")))
		},
		"DELETE /containers/c1": func(w http.ResponseWriter, _ *http.Request) {
			seen.note("removed")
			w.WriteHeader(http.StatusNoContent)
		},
	})
	r := fake.open(t, Options{AnswerTimeout: impatient})
	for name, ask := range map[string]func() error{
		"list":    func() error { _, err := r.List(t.Context(), "p"); return err },
		"network": func() error { _, err := r.EnsureNetwork(t.Context(), sdk.Network{Name: "n", Project: "p"}); return err },
		"start":   func() error { _, err := r.Start(t.Context(), fakeSpec()); return err },
	} {
		t.Run(name, func(t *testing.T) {
			err := ask()
			wantError(t, err, sdk.CodeTimeout)
			if !strings.Contains(err.Error(), "the engine didn't answer within 50ms") {
				t.Errorf("it says %v", err)
			}
		})
	}
	// It may have happened all the same.
	if !seen.has("removed") {
		t.Error("what a creation without an answer made was left")
	}
}

// What takes its time gets it.
func TestSlowAnswersAreWaitedFor(t *testing.T) {
	slowly := func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(4 * impatient):
			w.WriteHeader(http.StatusNoContent)
		case <-r.Context().Done():
		}
	}
	fake, _ := newFake(t, "1.41", map[string]http.HandlerFunc{
		"POST /containers/c1/stop": slowly,
		"DELETE /containers/c1":    slowly,
	})
	r := fake.open(t, Options{AnswerTimeout: impatient})
	must(t, r.Stop(t.Context(), "c1", time.Second))
	must(t, r.Remove(t.Context(), "c1"))
}

// A stream is bounded only until it begins.
func TestStreamsGoOn(t *testing.T) {
	fake, _ := newFake(t, "1.41", map[string]http.HandlerFunc{
		"GET /events": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusOK)
			must(t, http.NewResponseController(w).Flush())
			select {
			case <-time.After(4 * impatient):
				say(w, map[string]any{
					"Type": "container", "Action": "start", "timeNano": 1,
					"Actor": map[string]any{"ID": "c1", "Attributes": map[string]string{sdk.LabelProject: "p"}},
				})
			case <-r.Context().Done():
			}
		},
	})
	r := fake.open(t, Options{AnswerTimeout: impatient})
	events, err := r.Watch(t.Context(), "p", time.Time{})
	must(t, err)
	if event := <-events; event.Type != sdk.EventStarted {
		t.Errorf("it heard %+v", event)
	}
}

// An answer to HEAD has no text, so the client library makes one up.
func TestPingRefused(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
	}))
	defer server.Close()
	r, err := Open(Options{Host: "tcp" + strings.TrimPrefix(server.URL, "http")})
	must(t, err)
	defer func() { must(t, r.Close()) }()
	_, err = r.List(t.Context(), "p")
	wantError(t, err, sdk.CodeUnavailable)
	if !strings.Contains(err.Error(), "the engine answered 500 Internal Server Error") {
		t.Errorf("it says %v", err)
	}
	if e, ok := errors.AsType[*sdk.Error](err); !ok || strings.Contains(e.Hint, "registry") {
		t.Errorf("it hints at a registry: %v", e)
	}
}
