package wasm

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/lightshuttle/lightshuttle/host/wasm/module"
	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

// callWith is a call of a plugin that requested and was granted that.
func callWith(requests abi.Requests, options Options) *call {
	return &call{plugin: &Plugin{name: "fuzz", options: options, report: &module.Report{Manifest: abi.Manifest{Requests: requests}}}}
}

// FuzzExecRequest shows that no document makes a program run that isn't granted,
// or with arguments or variables that aren't.
func FuzzExecRequest(f *testing.F) {
	for _, seed := range []string{
		`{"program":"engine","args":["ps","-a"],"env":[["WHO","me"]]}`, `{"program":"engine","args":["rm","x","y"]}`,
		`{"program":"sh","args":["-c","id"]}`, `{"program":"engine","args":["ps"],"env":[["PATH=/x","y"]]}`,
		`{"program":"engine","args":["ps","\u0000"]}`, `{"Program":"sh","program":"engine","args":null}`,
	} {
		f.Add([]byte(seed))
	}
	c := callWith(
		abi.Requests{Exec: []abi.ExecAccess{{Program: "engine", Args: [][]string{{"ps", "**"}, {"rm", "*"}}, Env: []string{abi.AnyVariable}}, {Program: "other"}}},
		Options{Grants: Grants{Exec: []ExecGrant{{Program: "engine", Path: "/bin/engine", Env: []string{abi.AnyVariable}}}}},
	)
	f.Fuzz(func(t *testing.T, data []byte) {
		var request abi.ExecRequest
		if understand(data, &request) != nil {
			return
		}
		command, err := c.command(request, nil)
		if err != nil {
			return
		}
		if command.Program != "/bin/engine" || request.Program != "engine" {
			t.Fatalf("program %q runs", command.Program)
		}
		lists := len(command.Args) > 0 && command.Args[0] == "ps"
		removes := len(command.Args) == 2 && command.Args[0] == "rm"
		if !lists && !removes {
			t.Fatalf("it runs with %q", command.Args)
		}
		for _, text := range command.Args {
			if strings.ContainsRune(text, 0) {
				t.Fatalf("an argument has a NUL byte: %q", text)
			}
		}
		for _, variable := range command.Env {
			name, _, _ := strings.Cut(variable[0]+"="+variable[1], "=")
			if neverGranted(name) || name == "" || strings.ContainsRune(name+variable[1], 0) {
				t.Fatalf("it runs with the variable %q", variable)
			}
		}
	})
}

// FuzzHTTPRequest shows that no document makes a request that isn't granted: what
// arrives at the other end is what was judged.
func FuzzHTTPRequest(f *testing.F) {
	for _, seed := range []string{
		`{"endpoint":"engine","method":"GET","path":"/v1.45/containers/json","query":[["all","1"]],"headers":[["X","y"]]}`,
		`{"endpoint":"engine","method":"POST","path":"/v1/../secret"}`, `{"endpoint":"engine","method":"GET","path":"//192.0.2.1/v1/x"}`,
		`{"endpoint":"engine","method":"GET","path":"/v1/;x:y@z","headers":[["X-Y","a"],["x-y","b"]]}`,
		`{"endpoint":"engine","method":"DELETE","path":"/v1/x"}`, `{"endpoint":"engine","method":"GET","path":"/v1/é ☃","timeout_ms":5}`,
	} {
		f.Add([]byte(seed))
	}
	var arrived *http.Request
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { arrived = r }))
	f.Cleanup(server.Close)
	requests := abi.Requests{HTTP: []abi.HTTPAccess{{Endpoint: "engine", Methods: []string{"GET", "POST"}, Paths: []string{"/v*/**"}}, {Endpoint: "other"}}}
	options := Options{Grants: Grants{HTTP: []HTTPGrant{{Endpoint: "engine", Address: server.URL}}}}
	c := callWith(requests, options)
	c.plugin.machine = machineOf(options, time.Second)
	f.Cleanup(func() { _ = c.plugin.machine.Close() })
	f.Fuzz(func(t *testing.T, data []byte) {
		var request abi.HTTPRequest
		if understand(data, &request) != nil || c.mayRequest(request) != nil {
			return
		}
		arrived = nil
		response, err := c.plugin.machine.Do(t.Context(), outgoing(request, nil))
		if err != nil {
			t.Fatalf("%+v was allowed, but can't be sent: %v", request, err)
		}
		_ = response.Body.Close()
		switch {
		case arrived == nil:
			t.Fatalf("%+v went elsewhere", request)
		case arrived.URL.Path != request.Path || !strings.HasPrefix(request.Path, "/v"):
			t.Fatalf("path %q arrived as %q", request.Path, arrived.URL.Path)
		case arrived.Method != "GET" && arrived.Method != "POST":
			t.Fatalf("method %q arrived", arrived.Method)
		case "http://"+arrived.Host != server.URL || len(arrived.Header["Authorization"]) > 0:
			t.Fatalf("host %q, headers %q arrived", arrived.Host, arrived.Header)
		}
		for _, pair := range request.Query {
			if !slices.Contains(arrived.URL.Query()[pair[0]], pair[1]) {
				t.Fatalf("the query %q arrived as %q", pair, arrived.URL.RawQuery)
			}
		}
	})
}

// FuzzEmission shows that no emission makes the host panic, and that what it
// passes on can be shown.
func FuzzEmission(f *testing.F) {
	for _, seed := range []string{
		`{"type":"event","event":{"type":"started","id":"x"}}`, `{"type":"progress","progress":{"action":"pull"}}`, `{"type":"subscribed"}`, `{"type":"event","event":{"type":"lost","id":"\u001b[2J"},"status":5,"error":{"message":"\u001b]0;x\u0007"}}`,
	} {
		f.Add([]byte(seed))
	}
	b := &base{clean: (&Plugin{}).clean}
	f.Fuzz(func(t *testing.T, data []byte) {
		var emission abi.Emission
		if understand(data, &emission) != nil {
			return
		}
		if shown, ok := b.shownProgress(emission); ok {
			showable(t, shown.Status, shown.Action)
		}
		if shown, ok := b.shownEvent(emission); ok {
			showable(t, string(shown.Type), shown.ID, shown.Name, shown.Resource)
			if shown.Err != nil {
				showable(t, shown.Err.Error())
			}
		}
	})
}

// showable fails when a terminal would obey a text.
func showable(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !utf8.ValidString(text) || strings.ContainsAny(text, "\x1b\x07\r\u009b\u202e\u2028") {
			t.Fatalf("%q would be shown", text)
		}
	}
}

// answered is an invoker whose operations all answer with one document.
type answered []byte

func (a answered) Invoke(context.Context, Invocation) (json.RawMessage, error) {
	return json.RawMessage(a), nil
}
func (a answered) Close() error { return nil }

// FuzzResults shows that no result of an operation makes the host panic, and that
// what it makes of it can be shown and acted on.
func FuzzResults(f *testing.F) {
	for _, seed := range []string{
		"", `{"id":"c1"}`, `{"state":{"id":"c1","status":"running","health":"none"}}`, `{"states":[{"id":"c1","status":"exited","name":"\u001b[2J"}]}`,
		`{"info":{"name":"x","version":"\u001b"}}`, `{"ports":[{"port":80}],"volumes":[{"name":"v"}],"env":{"A":"b"},"created":true,"prepared":true,"exit_code":3}`,
		`{"state":{"id":"c1","status":"running","labels":{"a":"\r"},"exit_code":1,"error":"\u009b"}}`,
	} {
		f.Add([]byte(seed))
	}
	report := &module.Report{Manifest: abi.Manifest{Name: "fuzz"}}
	for _, ability := range abi.Abilities() {
		report.Operations = append(report.Operations, ability.Operations...)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		ctx := t.Context()
		r := Adapt(answered(data), report, Options{Project: "shop"}, (&Plugin{}).clean)
		if id, err := r.Start(ctx, sdk.Spec{Name: "x"}); err == nil {
			showable(t, id)
		}
		var states []sdk.State
		if state, err := r.(sdk.Inspector).Inspect(ctx, "c1"); err == nil {
			states = append(states, state)
		}
		if state, err := r.WaitHealthy(ctx, "c1", nil); err == nil {
			states = append(states, state)
		}
		if listed, err := r.List(ctx, "shop"); err == nil {
			states = append(states, listed...)
		}
		for _, state := range states {
			if state.ID == "" || !slices.Contains(statuses, state.Status) {
				t.Fatalf("%+v is a state", state)
			}
			showable(t, state.ID, state.Name, state.Project, state.Resource, state.Image, string(state.Health), state.HealthOutput, state.Error)
		}
		if info, err := r.Ping(ctx); err == nil {
			showable(t, info.Name, info.Version)
		}
		_, _ = r.PublishedPorts(ctx)
		_, _ = r.Env(ctx, "c1")
		if volumes, err := r.(sdk.Volumer).ListVolumes(ctx, "shop"); err == nil {
			for _, volume := range volumes {
				showable(t, volume.Name)
			}
		}
		_, _ = r.(sdk.Execer).Exec(ctx, "c1", sdk.ExecOptions{})
		_, _ = r.(sdk.Preparer).Prepared(ctx, sdk.Spec{})
	})
}

// FuzzErrors shows that no status and error document make the host panic, and
// that what it makes of them can be shown.
func FuzzErrors(f *testing.F) {
	f.Add(int32(10), []byte(`{"message":"\u001b[2J","op":"start","resource":"db","hint":"a\nb","output":"x\r\ny"}`))
	f.Add(int32(-1), []byte(`{`))
	f.Fuzz(func(t *testing.T, status int32, document []byte) {
		if status == int32(abi.OK) {
			return
		}
		c := callWith(abi.Requests{}, Options{})
		c.soft, c.output = t.Context(), document
		err := c.failed(abi.Status(status))
		if err == nil {
			t.Fatal("a failure is none")
		}
		showable(t, err.Error())
		if e, ok := errors.AsType[*sdk.Error](err); ok {
			showable(t, e.Op, e.Resource, e.Hint, e.Output)
		}
	})
}

// recorded collects what a stream gives.
func recorded(c *call) map[sdk.Stream]*bytes.Buffer {
	got := map[sdk.Stream]*bytes.Buffer{sdk.Stdout: {}, sdk.Stderr: {}}
	c.invocation.Output = func(entry sdk.LogEntry) error {
		got[entry.Stream].Write(entry.Data)
		return nil
	}
	return got
}

// whole is a stream of which all is there.
func whole(data []byte) *stream {
	s := newStream(context.Background(), nil, nil, func() {})
	s.buf, s.end = slices.Clone(data), io.EOF
	return s
}

// FuzzFrames shows that what comes in Docker's frames arrives as it was sent, and
// that rubbish is an error.
func FuzzFrames(f *testing.F) {
	f.Add([]byte("\x01\x00\x00\x00\x00\x00\x00\x05hello\x02\x00\x00\x00\x00\x00\x00\x02hi"), false)
	f.Add([]byte("\x01\x00\x00\x00\xff\xff\xff\xffhello"), false)
	f.Add([]byte("\x02\x00\x00\x00\x00\x00\x00\x242026-01-02T03:04:05.000000001Z hello\n"), true)
	f.Fuzz(func(t *testing.T, data []byte, stamped bool) {
		c := callWith(abi.Requests{}, Options{})
		got := recorded(c)
		kind := int32(abi.StreamDocker)
		if stamped {
			kind |= abi.StreamTimestamps
		}
		err := c.copyOut(whole(data), kind)
		want := map[sdk.Stream][]byte{}
		rest, whole := data, true
		for len(rest) > 0 {
			if len(rest) < 8 || rest[0] != 1 && rest[0] != 2 || rest[1]|rest[2]|rest[3] != 0 {
				whole = false
				break
			}
			size := int(min(int64(binary.BigEndian.Uint32(rest[4:])), int64(len(rest)-8)))
			whole = size == int(binary.BigEndian.Uint32(rest[4:]))
			kind := map[byte]sdk.Stream{1: sdk.Stdout, 2: sdk.Stderr}[rest[0]]
			want[kind] = append(want[kind], rest[8:8+size]...)
			rest = rest[8+size:]
		}
		if (err == nil) != whole {
			t.Fatalf("error = %v, whole is %t", err, whole)
		}
		if stamped || err != nil {
			return // the times are taken off; what is cut off may lack its last line
		}
		for kind, text := range want {
			if !bytes.Equal(got[kind].Bytes(), text) {
				t.Fatalf("%q arrived as %q", text, got[kind].Bytes())
			}
		}
	})
}

// FuzzLines shows that lines with times arrive in any pieces as they do in one.
func FuzzLines(f *testing.F) {
	f.Add([]byte("2026-01-02T03:04:05.000000001Z hello\n\nno time\n2026-01-02T03:04:05Z"), uint8(3))
	f.Add([]byte(strings.Repeat("x", 70<<10)), uint8(255))
	f.Fuzz(func(t *testing.T, data []byte, size uint8) {
		split := func(size int) []sdk.LogEntry {
			c := callWith(abi.Requests{}, Options{})
			var entries []sdk.LogEntry
			c.invocation.Output = func(entry sdk.LogEntry) error {
				entry.Data = slices.Clone(entry.Data)
				entries = append(entries, entry)
				return nil
			}
			to := c.sender(sdk.Stdout, true)
			for piece := range slices.Chunk(data, size) {
				if _, err := to.Write(piece); err != nil {
					t.Fatal(err)
				}
			}
			if err := to.flush(); err != nil {
				t.Fatal(err)
			}
			return entries
		}
		joined := func(entries []sdk.LogEntry) []byte {
			var all []byte
			for _, entry := range entries {
				all = append(all, entry.Data...)
			}
			return all
		}
		one, many := joined(split(max(1, len(data)))), joined(split(int(size)+1))
		if !bytes.Equal(one, many) {
			t.Fatalf("in one piece it is\n%q, in several\n%q", one, many)
		}
	})
}

// FuzzStore shows that no file makes the store panic, and that what it can read
// it keeps.
func FuzzStore(f *testing.F) {
	f.Add([]byte(`{"a":"djE=","b":""}`))
	f.Add([]byte(`{"a":5}`))
	f.Add([]byte("\x00"))
	path := filepath.Join(f.TempDir(), "store.json")
	f.Fuzz(func(t *testing.T, file []byte) {
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		s := openStore(path, 1<<20)
		keys, err := s.list("")
		if err != nil {
			if after, _ := os.ReadFile(path); !bytes.Equal(after, file) {
				t.Fatal("a store that can't be read was changed")
			}
			return
		}
		if err := s.set(t.Context(), "new", []byte("value")); err != nil {
			t.Fatal(err)
		}
		again := openStore(path, 1<<20)
		for _, key := range append(keys, "new") {
			mine, err := s.get(key)
			if err != nil {
				t.Fatal(err)
			}
			theirs, err := again.get(key)
			if err != nil || !bytes.Equal(mine, theirs) {
				t.Fatalf("%q is %q and %q, %v", key, mine, theirs, err)
			}
		}
	})
}

// FuzzPatterns shows that matching ends soon, and that what matches is no more
// than the pattern says.
func FuzzPatterns(f *testing.F) {
	f.Add("/v*/**", "/v1.45/containers/json")
	f.Add("/**/a/**/b", "/a/a/a/a/b")
	f.Add("/*a*a*a*b", "/aaaaaaaaaaaaaaaa")
	f.Fuzz(func(t *testing.T, pattern, path string) {
		if checkPath(path) != nil || len(pattern) > 1000 || strings.Count(pattern, "**") > 2 {
			return
		}
		began := time.Now()
		matched := matchesPath([]string{pattern}, path)
		if took := time.Since(began); took > 10*time.Second {
			t.Fatalf("it took %s", took)
		}
		if !strings.Contains(pattern, "*") && matched != (pattern == path) {
			t.Fatalf("%q matches %q: %t", pattern, path, matched)
		}
		if prefix, _, _ := strings.Cut(pattern, "*"); matched && !strings.HasPrefix(path+"/", prefix) {
			t.Fatalf("%q matches %q", pattern, path)
		}
	})
}

// FuzzTexts shows that no text of a plugin steers a terminal or shows a secret.
func FuzzTexts(f *testing.F) {
	const secret = "hunter2"
	f.Add("\x1b[2J" + secret + "\r\n")
	f.Add("hun\x1bter2")
	f.Add("hun\rter2")
	p := &Plugin{}
	p.secrets.add(secret)
	f.Fuzz(func(t *testing.T, text string) {
		for _, shown := range []string{p.clean(text), p.line(text)} {
			showable(t, shown)
			if strings.Contains(shown, secret) {
				t.Fatalf("%q shows the secret", shown)
			}
		}
		showable(t, OneLine(text))
		if strings.Contains(p.line(text)+OneLine(text), "\n") {
			t.Fatal("a line has several")
		}
	})
}
