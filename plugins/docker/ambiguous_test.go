package docker

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// journal notes what was asked of an engine.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) note(line string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, line)
}

func (j *journal) has(line string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Contains(j.lines, line)
}

func ownLabels(run string) map[string]string {
	return map[string]string{sdk.LabelProject: "p", sdk.LabelResource: "web", sdk.LabelRun: run}
}

// When the answer to a creation is lost, the container is looked for, and
// removed if this very run made it.
func TestLostCreation(t *testing.T) {
	for name, test := range map[string]struct {
		// appears is the number of the look that finds it.
		appears int
		labels  map[string]string
		removed bool
	}{
		"it was made":           {1, ownLabels("1"), true},
		"it is made late":       {3, ownLabels("1"), true},
		"it was never made":     {100, nil, false},
		"another run's":         {1, ownLabels("2"), false},
		"somebody else has it":  {1, nil, false},
		"another resource's":    {1, map[string]string{sdk.LabelProject: "p", sdk.LabelResource: "db", sdk.LabelRun: "1"}, false},
		"with labels of others": {1, map[string]string{sdk.LabelProject: "q", sdk.LabelResource: "web", sdk.LabelRun: "1"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			var seen journal
			looks := 0
			_, r := newFake(t, "1.41", map[string]http.HandlerFunc{
				"POST /containers/create": cut,
				"GET /containers/p-web/json": func(w http.ResponseWriter, _ *http.Request) {
					if looks++; looks < test.appears {
						refuse(w, http.StatusNotFound, "No such container: p-web")
						return
					}
					say(w, inspected("c1", "created", test.labels))
				},
				"DELETE /containers/c1": func(w http.ResponseWriter, _ *http.Request) {
					seen.note("removed")
					w.WriteHeader(http.StatusNoContent)
				},
			})
			_, err := r.Start(t.Context(), fakeSpec())
			wantError(t, err, sdk.CodeUnavailable)
			if seen.has("removed") != test.removed {
				t.Errorf("removed: %t", !test.removed)
			}
		})
	}
}

// A creation that is cancelled while the engine is at it, is waited for and
// undone.
func TestCancelledCreation(t *testing.T) {
	var seen journal
	ctx, cancel := context.WithCancel(t.Context())
	_, r := newFake(t, "1.41", map[string]http.HandlerFunc{
		"POST /containers/create": func(w http.ResponseWriter, r *http.Request) {
			cancel()
			select {
			case <-r.Context().Done():
				seen.note("cut")
			case <-time.After(100 * time.Millisecond):
			}
			w.WriteHeader(http.StatusCreated)
			say(w, map[string]any{"Id": "c1"})
		},
		"POST /containers/c1/start": func(http.ResponseWriter, *http.Request) { seen.note("started") },
		"DELETE /containers/c1":     func(http.ResponseWriter, *http.Request) { seen.note("removed") },
	})
	_, err := r.Start(ctx, fakeSpec())
	wantError(t, err, sdk.CodeCancelled)
	if seen.has("cut") || seen.has("started") || !seen.has("removed") {
		t.Errorf("seen: %v", seen.lines)
	}
}

func TestLostStart(t *testing.T) {
	var seen journal
	_, r := newFake(t, "1.41", map[string]http.HandlerFunc{
		"POST /containers/create": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusCreated)
			say(w, map[string]any{"Id": "c1"})
		},
		"POST /containers/c1/start": cut,
		"DELETE /containers/c1": func(w http.ResponseWriter, r *http.Request) {
			seen.note("removed with v=" + r.URL.Query().Get("v") + " force=" + r.URL.Query().Get("force"))
			refuse(w, http.StatusInternalServerError, "device or resource busy")
		},
	})
	_, err := r.Start(t.Context(), fakeSpec())
	wantError(t, err, sdk.CodeUnavailable, "p-web", "may be left")
	if !seen.has("removed with v=1 force=1") {
		t.Errorf("seen: %v", seen.lines)
	}
}

// Start asks for nothing but the creation and the start.
func TestStartIsTwoRequests(t *testing.T) {
	var seen journal
	note := func(line string, answer http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			seen.note(line)
			answer(w, r)
		}
	}
	_, r := newFake(t, "1.44", map[string]http.HandlerFunc{
		"POST /containers/create": note("create", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusCreated)
			say(w, map[string]any{"Id": "c1"})
		}),
		"POST /containers/c1/start": note("start", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }),
	})
	spec := fakeSpec()
	spec.Healthcheck = check("true")
	id, err := r.Start(t.Context(), spec)
	must(t, err)
	if id != "c1" || !slices.Equal(seen.lines, []string{"create", "start"}) {
		t.Errorf("%s, seen: %v", id, seen.lines)
	}
}

func TestStopAlwaysSaysHowLong(t *testing.T) {
	for grace, want := range map[time.Duration]string{0: "0", time.Millisecond: "1", 3 * time.Hour: "10800"} {
		said := make(chan string, 1)
		_, r := newFake(t, "1.41", map[string]http.HandlerFunc{
			"POST /containers/c1/stop": func(w http.ResponseWriter, r *http.Request) {
				said <- r.URL.Query().Get("t")
				w.WriteHeader(http.StatusNotModified)
			},
		})
		must(t, r.Stop(t.Context(), "c1", grace))
		if got := <-said; got != want {
			t.Errorf("%s: t=%q", grace, got)
		}
	}
}

// A removal that somebody else began is waited for.
func TestRemovalUnderWay(t *testing.T) {
	stream := newStream()
	looks := make(chan struct{}, 10)
	gone := make(chan struct{})
	_, r := newFake(t, "1.41", map[string]http.HandlerFunc{
		"DELETE /containers/c1": func(w http.ResponseWriter, _ *http.Request) {
			refuse(w, http.StatusConflict, "removal of container c1 is already in progress")
		},
		"GET /containers/c1/json": func(w http.ResponseWriter, _ *http.Request) {
			looks <- struct{}{}
			select {
			case <-gone:
				refuse(w, http.StatusNotFound, "No such container: c1")
			default:
				say(w, inspected("c1", "removing", ownLabels("1")))
			}
		},
		"GET /events": stream.serve,
	})
	removed := make(chan error, 1)
	go func() { removed <- r.Remove(t.Context(), "c1") }()
	<-looks
	close(gone)
	stream.send("destroy", "c1", nil)
	must(t, <-removed)

	ctx, cancel := context.WithCancel(t.Context())
	gone = make(chan struct{})
	go func() { removed <- r.Remove(ctx, "c1") }()
	<-looks
	<-looks
	cancel()
	wantError(t, <-removed, sdk.CodeCancelled)
}

// A run that was killed may have asked for a container that the engine makes
// only now. Nobody will ever start that one.
func TestRemnantOfACutRun(t *testing.T) {
	for name, test := range map[string]struct {
		status  string
		labels  map[string]string
		appears int
		starts  bool
	}{
		"made by another run, and never started": {"created", ownLabels("0"), 1, true},
		"it is still being made":                 {"created", ownLabels("0"), 2, true},
		"it runs":                                {"running", ownLabels("0"), 1, false},
		"it is this run's own":                   {"created", ownLabels("1"), 1, false},
		"somebody else's":                        {"created", nil, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			gone, looks := false, 0
			_, r := newFake(t, "1.41", map[string]http.HandlerFunc{
				"POST /containers/create": func(w http.ResponseWriter, _ *http.Request) {
					if !gone {
						refuse(w, http.StatusConflict, `Conflict. The container name "/p-web" is already in use by container "c0"`)
						return
					}
					w.WriteHeader(http.StatusCreated)
					say(w, map[string]any{"Id": "c1"})
				},
				"GET /containers/p-web/json": func(w http.ResponseWriter, _ *http.Request) {
					if looks++; looks < test.appears {
						refuse(w, http.StatusNotFound, "No such container: p-web")
						return
					}
					say(w, inspected("c0", test.status, test.labels))
				},
				"DELETE /containers/c0": func(w http.ResponseWriter, _ *http.Request) {
					gone = true
					w.WriteHeader(http.StatusNoContent)
				},
				"POST /containers/c1/start": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
			})
			id, err := r.Start(t.Context(), fakeSpec())
			if started := err == nil && id == "c1"; started != test.starts || gone != test.starts {
				t.Errorf("it started %q, %v; the other one is gone: %t", id, err, gone)
			}
			if !test.starts {
				wantError(t, err, sdk.CodeConflict)
			}
		})
	}
}
