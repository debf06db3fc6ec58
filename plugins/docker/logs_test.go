package docker

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/lightshuttle/lightshuttle/sdk"
)

var errEnough = errors.New("enough")

// printed is all that the container has printed.
func (s *stage) printed(t *testing.T, id string) map[sdk.Stream]string {
	t.Helper()
	all := map[sdk.Stream]string{}
	must(t, s.Logs(t.Context(), id, sdk.LogOptions{Tail: -1}, func(entry sdk.LogEntry) error {
		all[entry.Stream] += string(entry.Data)
		return nil
	}))
	return all
}

func TestLogs(t *testing.T) {
	s := newStage(t)
	began := time.Now().Add(-time.Second)
	id := s.finished(t, s.script("box", `echo one; echo two >&2; echo three; printf '\001\377\000end'`))
	var entries []sdk.LogEntry
	collect := func(entry sdk.LogEntry) error {
		entry.Data = bytes.Clone(entry.Data)
		entries = append(entries, entry)
		return nil
	}
	must(t, s.Logs(t.Context(), id, sdk.LogOptions{Tail: -1, Follow: true}, collect))
	var out, err bytes.Buffer
	for _, entry := range entries {
		if entry.Time.Before(began) || entry.Time.After(time.Now().Add(time.Second)) {
			t.Errorf("time %s", entry.Time)
		}
		if entry.Stream == sdk.Stderr {
			err.Write(entry.Data)
		} else {
			out.Write(entry.Data)
		}
	}
	if err.String() != "two\n" || !strings.HasPrefix(out.String(), "one\nthree\n\x01") || !strings.HasSuffix(out.String(), "end") {
		t.Errorf("got %q, %q", out.String(), err.String())
	}
	last := entries[len(entries)-1]
	entries = nil
	must(t, s.Logs(t.Context(), id, sdk.LogOptions{Tail: 1}, collect))
	if len(entries) != 1 || !bytes.HasSuffix(entries[0].Data, []byte("end")) {
		t.Errorf("tail 1: %q", entries)
	}
	entries = nil
	must(t, s.Logs(t.Context(), id, sdk.LogOptions{Tail: 0}, collect))
	if len(entries) != 0 {
		t.Errorf("tail 0: %q", entries)
	}
	must(t, s.Logs(t.Context(), id, sdk.LogOptions{Tail: -1, Since: last.Time.Add(time.Nanosecond)}, collect))
	if len(entries) != 0 {
		t.Errorf("since: %q", entries)
	}
	wantError(t, s.Logs(t.Context(), "no-such-container", sdk.LogOptions{}, collect), sdk.CodeNotFound)
}

func TestLogsFollow(t *testing.T) {
	s := newStage(t)
	id := s.start(t, s.spec("web"))
	ctx, cancel := context.WithCancel(t.Context())
	err := s.Logs(ctx, id, sdk.LogOptions{Tail: -1, Follow: true}, func(sdk.LogEntry) error {
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	ended := make(chan error, 1)
	seen := make(chan struct{}, 100)
	go func() {
		ended <- s.Logs(t.Context(), id, sdk.LogOptions{Tail: -1, Follow: true}, func(sdk.LogEntry) error {
			seen <- struct{}{}
			return nil
		})
	}()
	<-seen
	must(t, s.Stop(t.Context(), id, 5*time.Second))
	must(t, <-ended)
}

func TestLogsOfATerminal(t *testing.T) {
	s := newStage(t)
	spec := s.script("box", "echo one; echo two >&2")
	config, host, networking := createConfig(spec, "1.41")
	config.Tty = true
	made, err := s.api.ContainerCreate(t.Context(), config, host, networking, nil, spec.Name)
	must(t, err)
	must(t, s.api.ContainerStart(t.Context(), made.ID, container.StartOptions{}))
	var got strings.Builder
	must(t, s.Logs(t.Context(), made.ID, sdk.LogOptions{Tail: -1, Follow: true}, func(entry sdk.LogEntry) error {
		if entry.Time.IsZero() {
			t.Errorf("no time at %q", entry.Data)
		}
		got.Write(entry.Data)
		return nil
	}))
	if got.String() != "one\r\ntwo\r\n" {
		t.Errorf("got %q", got.String())
	}
}

func TestLogsOfALineWithoutEnd(t *testing.T) {
	s := newStage(t)
	const size = 10 << 20
	id := s.finished(t, s.spec("web", "flood", "10485760"))
	total := 0
	must(t, s.Logs(t.Context(), id, sdk.LogOptions{Tail: -1}, func(entry sdk.LogEntry) error {
		if len(entry.Data) > chunkLimit || bytes.Count(entry.Data, []byte("x")) != len(entry.Data) {
			t.Fatalf("a piece of %d bytes: %.60q", len(entry.Data), entry.Data)
		}
		total += len(entry.Data)
		return nil
	}))
	if total != size {
		t.Errorf("%d bytes, want %d", total, size)
	}
}

// frames is a stream of n frames of one size.
type frames struct {
	n    int
	size int
	rest []byte
}

func (f *frames) Read(p []byte) (int, error) {
	if len(f.rest) == 0 {
		if f.n == 0 {
			return 0, io.EOF
		}
		f.n--
		f.rest = make([]byte, frameHeader, frameHeader+f.size)
		f.rest[0] = 1
		binary.BigEndian.PutUint32(f.rest[4:], uint32(f.size))
		f.rest = append(f.rest, "2026-01-02T03:04:05.000000006Z "...)
		f.rest = f.rest[:frameHeader+f.size]
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

func TestAGigabyteOfLogTakesConstantMemory(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	total, most := 0, uint64(0)
	must(t, readLog(&frames{n: 64, size: 16 << 20}, func(entry sdk.LogEntry) error {
		if total>>26 != (total+len(entry.Data))>>26 {
			runtime.ReadMemStats(&after)
			most = max(most, after.HeapAlloc)
		}
		total += len(entry.Data)
		return nil
	}))
	// The test's own frames are up to three of 16 MiB until they are collected.
	if total < 1<<30-64*100 || most > before.HeapAlloc+80<<20 {
		t.Errorf("%d bytes took up to %d bytes of memory", total, most)
	}
}

func TestReadLog(t *testing.T) {
	frame := func(kind byte, text string) string {
		return string([]byte{kind, 0, 0, 0, 0, 0, 0, byte(len(text))}) + text
	}
	const stamp = "2026-01-02T03:04:05.000000006Z "
	for name, test := range map[string]struct{ stream, want, err string }{
		"nothing":          {"", "", ""},
		"a line":           {frame(1, stamp+"a\n"), "a\n", ""},
		"an empty line":    {frame(2, stamp+"\n"), "\n", ""},
		"no time":          {frame(1, "a b\n"), "a b\n", ""},
		"broken off":       {frame(1, stamp+"a\n")[:20], "", "unexpected EOF"},
		"half a header":    {frame(1, stamp+"a\n") + "\x01\x00", "a\n", "unexpected EOF"},
		"an engine's word": {frame(3, "it broke"), "", "it broke"},
		"nonsense":         {"<html><body>", "", `"<html><body>", which is no frame`},
		"an error's JSON":  {`{"cause":"gone","message":"there is none","response":500}`, "", "the engine says: there is none"},
		"a terminal":       {stamp + "a\r\n" + stamp + "b", "a\r\nb", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var got strings.Builder
			err := readLog(strings.NewReader(test.stream), func(entry sdk.LogEntry) error {
				got.Write(entry.Data)
				return nil
			})
			if got.String() != test.want || (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Errorf("got %q, %v", got.String(), err)
			}
		})
	}
}

// podman 4 may say 200 and then that it can't look at the container just now. The
// next time it can.
func TestALogThatIsRefusedLateIsAskedForAgain(t *testing.T) {
	const refusal = `{"cause":"locked","message":"it can't be looked at","response":500}`
	for refusals, want := range map[int32]string{1: "said", logTries: ""} {
		var asked atomic.Int32
		_, r := newFake(t, "1.41", map[string]http.HandlerFunc{"GET /containers/c/logs": func(w http.ResponseWriter, _ *http.Request) {
			if asked.Add(1) <= refusals {
				fmt.Fprint(w, refusal)
				return
			}
			fmt.Fprint(w, "\x01\x00\x00\x00\x00\x00\x00\x04said")
		}})
		var got strings.Builder
		err := r.Logs(t.Context(), "c", sdk.LogOptions{Tail: -1}, func(entry sdk.LogEntry) error {
			got.Write(entry.Data)
			return nil
		})
		if got.String() != want || asked.Load() != min(refusals+1, logTries) || (err == nil) != (want != "") {
			t.Errorf("refused %d times: asked %d times, got %q, %v", refusals, asked.Load(), got.String(), err)
		}
		if err != nil && !strings.Contains(err.Error(), "it can't be looked at") {
			t.Errorf("refused %d times: %v", refusals, err)
		}
	}
}
