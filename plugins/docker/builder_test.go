package docker

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// An engine that takes no session, such as podman's, gets the whole context.
func TestWithoutASessionTheClassicBuilderIsUsed(t *testing.T) {
	t.Setenv("DOCKER_BUILDKIT", "")
	var names []string
	_, r := newFake(t, "1.41", map[string]http.HandlerFunc{
		"POST /build": func(w http.ResponseWriter, r *http.Request) {
			if version := r.URL.Query().Get("version"); version != "1" {
				t.Errorf("version %q", version)
			}
			archive := tar.NewReader(r.Body)
			for {
				header, err := archive.Next()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Error(err)
					break
				}
				names = append(names, header.Name)
			}
			say(w, map[string]string{"stream": "Step 1/1 : FROM scratch\n"})
		},
	})
	root := folder(t, map[string]string{"Dockerfile": "FROM scratch\n", "file": ""})
	spec := fakeSpec()
	spec.Build = &sdk.Build{Context: root, Dockerfile: filepath.Join(root, "Dockerfile")}
	var steps []string
	must(t, r.Prepare(t.Context(), spec, func(p sdk.Progress) { steps = append(steps, p.Status) }))
	if !slices.Equal(names, []string{"Dockerfile", "file"}) || !slices.Equal(steps, []string{"[1/1] FROM scratch"}) {
		t.Errorf("sent %q, steps %q", names, steps)
	}
}

// The builder's answer may break off, or the engine be lost while it reads.
func TestABuildThatBreaksOff(t *testing.T) {
	t.Setenv("DOCKER_BUILDKIT", "0")
	root := folder(t, map[string]string{"Dockerfile": "FROM scratch\n"})
	must(t, os.Truncate(filepath.Join(root, "Dockerfile"), 64<<20)) // more than fits on the way
	must(t, os.WriteFile(filepath.Join(root, "Dockerfile.small"), []byte("FROM scratch\n"), 0o600))
	for name, answer := range map[string]http.HandlerFunc{
		"at once": cut,
		"half-way": func(w http.ResponseWriter, _ *http.Request) {
			say(w, map[string]string{"stream": "Step 1/1 : FROM scratch\n"})
			_, _ = io.WriteString(w, `{"stream`)
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, r := newFake(t, "1.41", map[string]http.HandlerFunc{"POST /build": answer})
			spec := fakeSpec()
			spec.Build = &sdk.Build{Context: root, Dockerfile: filepath.Join(root, "Dockerfile.small")}
			wantError(t, r.Prepare(t.Context(), spec, nil), sdk.CodeUnavailable)
		})
	}
}

func TestABigContextIsBuiltInLittleMemory(t *testing.T) {
	const size, allowed = 200 << 20, 64 << 20
	eachBuilder(t, func(t *testing.T, s *stage) {
		root := folder(t, map[string]string{"Dockerfile": "FROM busybox:1.36\nCOPY . /app\nCMD [\"stat\", \"-c\", \"%s\", \"/app/big\"]\n", "big": ""})
		must(t, os.Truncate(filepath.Join(root, "big"), size))
		spec := s.buildSpec("app", root)
		built := make(chan error, 1)
		go func() { built <- s.Prepare(t.Context(), spec, nil) }()
		before := heap()
		most := before
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for building := true; building; {
			select {
			case err := <-built:
				must(t, err)
				building = false
			case <-tick.C:
				most = max(most, heap())
			}
		}
		if most > before+allowed {
			t.Errorf("the build took %d MiB of memory", (most-before)>>20)
		}
		if got := s.printed(t, s.finished(t, spec))[sdk.Stdout]; strings.TrimSpace(got) != fmt.Sprint(size) {
			t.Errorf("printed %q", got)
		}
	})
}

func heap() uint64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// A secret that begins like another doesn't show the other's end.
func TestSecretsOfABuild(t *testing.T) {
	record := newBuildRecord(sdk.Spec{Build: &sdk.Build{
		Args: map[string]string{"A": "pass", "B": "password", "C": ""}, SecretArgs: []string{"A", "B", "C", "D"},
	}}, func(sdk.Progress) {})
	if got := record.redact("pass, password"); got != "***, ***" {
		t.Errorf("got %q", got)
	}
}
