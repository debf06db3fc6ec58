package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// rig is a proxy in front of an engine that a test writes.
type rig struct {
	t      *testing.T
	proxy  *proxy
	client *http.Client
	// done counts what the engine has done.
	done atomic.Int64
}

func newRig(t *testing.T, engine http.HandlerFunc) *rig {
	t.Helper()
	dir, err := os.MkdirTemp("", "rig") //nolint:usetesting // the path has to be short, for sockets
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t}
	listener, err := net.Listen("unix", filepath.Join(dir, "engine"))
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{ErrorLog: silent, Handler: http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.Method == http.MethodPost {
			r.done.Add(1)
		}
		engine(w, q)
	})}
	go func() { _ = server.Serve(listener) }()
	r.proxy, err = newProxy(filepath.Join(dir, "proxy"), filepath.Join(dir, "engine"), "shop")
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", r.proxy.address)
	}}
	r.client = &http.Client{Transport: transport}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		r.proxy.close()
		server.Close()
		os.RemoveAll(dir)
	})
	return r
}

func (r *rig) post(path string) (string, error) {
	response, err := r.client.Post("http://engine"+path, "application/json", strings.NewReader("{}"))
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return fmt.Sprint(response.StatusCode, " ", string(body)), err
}

func (r *rig) breakStart(kind faultKind, act func()) {
	r.proxy.arm(&fault{Kind: kind, Site: site{Method: "POST", Path: "/containers/web/start", N: 1, Resource: "web"}, act: act})
}

// plainEngine answers every request, and gives containers names.
func plainEngine(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, "/json") {
		fmt.Fprint(w, `{"Name":"/shop.web"}`)
		return
	}
	fmt.Fprint(w, "all is well")
}

const startPath = "/v1.41/containers/0123456789ab/start"

func TestFaults(t *testing.T) {
	for kind, test := range map[faultKind]struct {
		answer string // "" is none
		done   int64
	}{
		faultDelay:     {"200 all is well", 1},
		faultReorder:   {"200 all is well", 1},
		faultCutBefore: {"", 0},
		faultCutAfter:  {"", 1},
		faultCutBody:   {"", 1},
		faultFail:      {`500 {"message":"broken by the laboratory"}`, 0},
		faultFailAfter: {`500 {"message":"broken by the laboratory"}`, 1},
	} {
		t.Run(string(kind), func(t *testing.T) {
			r := newRig(t, plainEngine)
			r.breakStart(kind, nil)
			got, err := r.post(startPath)
			if (err != nil) != (test.answer == "") || err == nil && got != test.answer {
				t.Errorf("it answered %q, %v; want %q", got, err, test.answer)
			}
			if r.done.Load() != test.done {
				t.Errorf("the engine did it %d times, want %d", r.done.Load(), test.done)
			}
			if !r.proxy.hasFired() {
				t.Error("it doesn't say that it broke the call")
			}
			// Only that one call.
			if got, err := r.post(startPath); err != nil || got != "200 all is well" {
				t.Errorf("the next call was answered %q, %v", got, err)
			}
		})
	}
}

func TestHangs(t *testing.T) {
	for kind, done := range map[faultKind]int64{faultHang: 0, faultHangAfter: 1} {
		t.Run(string(kind), func(t *testing.T) {
			r := newRig(t, plainEngine)
			r.breakStart(kind, nil)
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			request, _ := http.NewRequestWithContext(ctx, http.MethodPost, "http://engine"+startPath, http.NoBody)
			response, err := r.client.Do(request)
			if err == nil {
				response.Body.Close()
			}
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("it ended with %v", err)
			}
			if r.done.Load() != done {
				t.Errorf("the engine did it %d times, want %d", r.done.Load(), done)
			}
		})
	}
}

func TestActs(t *testing.T) {
	for kind, before := range map[faultKind]int64{
		faultKillBefore: 0, faultEngineBefore: 0, faultKillAfter: 1, faultEngineAfter: 1,
	} {
		t.Run(string(kind), func(t *testing.T) {
			r := newRig(t, plainEngine)
			var seen atomic.Int64
			seen.Store(-1)
			r.breakStart(kind, func() { seen.Store(r.done.Load()) })
			_, _ = r.post(startPath)
			if seen.Load() != before {
				t.Errorf("it acted when the engine had done it %d times, want %d", seen.Load(), before)
			}
		})
	}
}

// The same call site has the same name, whatever the ids are.
func TestSites(t *testing.T) {
	r := newRig(t, plainEngine)
	for range 2 {
		if _, err := r.post(startPath); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.post("/v1.41/containers/create?name=shop.db"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.post("/v1.41/networks/create"); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range r.proxy.seen() {
		got = append(got, c.Site.String()+" "+c.Site.Resource)
	}
	want := "POST /containers/web/start #1 web, POST /containers/web/start #2 web, POST /containers/create?db #1 db, POST /networks/create #1 "
	if strings.Join(got, ", ") != want {
		t.Errorf("the sites are %q", got)
	}
}

// A stream arrives piece by piece, and can be cut.
func TestStreams(t *testing.T) {
	more := make(chan string)
	r := newRig(t, func(w http.ResponseWriter, q *http.Request) {
		flush(t, w)
		for {
			select {
			case line := <-more:
				fmt.Fprintln(w, line)
				flush(t, w)
			case <-q.Context().Done():
				return
			}
		}
	})
	response, err := r.client.Get("http://engine/v1.41/events")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	lines := bufio.NewReader(response.Body)
	for _, want := range []string{"one", "two"} {
		more <- want
		if got, err := lines.ReadString('\n'); got != want+"\n" || err != nil {
			t.Fatalf("it passed on %q, %v; want %q", got, err, want)
		}
	}
	if n := r.proxy.cutStreams(); n != 1 {
		t.Errorf("it cut %d streams", n)
	}
	if _, err := lines.ReadString('\n'); err == nil {
		t.Error("the stream goes on")
	}
}

func flush(t *testing.T, w http.ResponseWriter) {
	if err := http.NewResponseController(w).Flush(); err != nil {
		t.Error(err)
	}
}

// An upgraded connection is joined in both directions, and each half can be
// closed by itself.
func TestUpgrade(t *testing.T) {
	r := newRig(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		fmt.Fprint(conn, "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nhello\n")
		said, err := io.ReadAll(buffered) // to the end of what the client says
		fmt.Fprintf(conn, "you said %q, %v", said, err)
	})
	conn, err := net.Dial("unix", r.proxy.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "POST /v1.41/session HTTP/1.1\r\nHost: engine\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n")
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("it answered %v, %v", response, err)
	}
	response.Body.Close()
	if line, err := reader.ReadString('\n'); line != "hello\n" || err != nil {
		t.Fatalf("it passed on %q, %v", line, err)
	}
	fmt.Fprint(conn, "good day")
	if err := conn.(*net.UnixConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	last, err := io.ReadAll(reader)
	if string(last) != `you said "good day", <nil>` || err != nil {
		t.Errorf("it passed on %q, %v", last, err)
	}
}

// Where there is no engine, the connection ends without an answer.
func TestNoEngine(t *testing.T) {
	dir, err := os.MkdirTemp("", "rig") //nolint:usetesting // the path has to be short, for sockets
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	p, err := newProxy(filepath.Join(dir, "proxy"), filepath.Join(dir, "none"), "shop")
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	up := newUpstream(p.address)
	defer up.close()
	if err := up.get("/_ping", nil); err == nil {
		t.Error("something answered")
	}
}
