package docker

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// fakeEngine answers what a test wants. Keys are a method and a path without
// the version, such as "GET /events".
type fakeEngine struct {
	*httptest.Server
	version string
}

var versioned = regexp.MustCompile(`^/v\d+\.\d+`)

// newFake starts an engine with that API version and a Runtime that uses it.
func newFake(t *testing.T, version string, answers map[string]http.HandlerFunc) (*fakeEngine, *Runtime) {
	t.Helper()
	fake := &fakeEngine{version: version}
	fake.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := versioned.ReplaceAllString(r.URL.Path, "")
		if path == "/_ping" {
			w.Header().Set("Api-Version", fake.version)
			w.Header().Set("Ostype", "linux")
			return
		}
		if answer := answers[r.Method+" "+path]; answer != nil {
			answer(w, r)
			return
		}
		refuse(w, http.StatusNotFound, "page not found: "+r.Method+" "+path)
	}))
	t.Cleanup(fake.Close)
	return fake, fake.open(t, Options{})
}

// open opens another Runtime on the engine.
func (f *fakeEngine) open(t *testing.T, options Options) *Runtime {
	t.Helper()
	options.Host = "tcp" + strings.TrimPrefix(f.URL, "http")
	r, err := Open(options)
	must(t, err)
	t.Cleanup(func() { must(t, r.Close()) })
	return r
}

func refuse(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"message": text}) // the test will see that it lacks
}

func say(w http.ResponseWriter, content any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(content) // the test will see that it lacks
}

// cut ends the connection without an answer.
func cut(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// inspected is the answer to an inspection.
func inspected(id, status string, labels map[string]string) map[string]any {
	return map[string]any{
		"Id": id, "Name": "/" + id, "Created": "2026-01-01T00:00:00Z",
		"State":  map[string]any{"Status": status, "StartedAt": "2026-01-01T00:00:00Z"},
		"Config": map[string]any{"Labels": labels}, "NetworkSettings": map[string]any{},
	}
}

func fakeSpec() sdk.Spec {
	return sdk.Spec{Project: "p", Resource: "web", Name: "p-web", Image: tiny, Labels: map[string]string{sdk.LabelRun: "1"}}
}
