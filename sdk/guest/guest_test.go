package guest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

// start runs Start with an image that tells the plugin what to do.
func start(ctx context.Context, t *testing.T, h *testHost, image string) (abi.Status, string, abi.Error) {
	t.Helper()
	status, v, err := h.invoke(ctx, abi.Start, abi.Request[abi.SpecArgs]{
		Ctx:  abi.Context{Op: abi.Start, Project: "demo", Config: json.RawMessage(`{"greeting":"hello"}`)},
		Args: abi.SpecArgs{Spec: sdk.Spec{Image: image, Name: "demo-web", Resource: "web"}},
	})
	if err != nil {
		t.Fatalf("%s: %v\n%s", image, err, h.stderr.String())
	}
	var result abi.StartResult
	var failure abi.Error
	if status == abi.OK {
		err = json.Unmarshal(v.output, &result)
	} else {
		err = json.Unmarshal(v.output, &failure)
	}
	if err != nil {
		t.Fatalf("%s: the output is %q: %v", image, v.output, err)
	}
	return status, result.ID, failure
}

func invoke[Result, Args any](t *testing.T, h *testHost, op abi.Operation, args Args) (Result, *invocation) {
	t.Helper()
	var result Result
	status, v, err := h.invoke(t.Context(), op, abi.Request[Args]{Ctx: abi.Context{Op: op}, Args: args})
	if err != nil || status != abi.OK {
		t.Fatalf("%s: status %d, %v, %s", op, status, err, v.output)
	}
	if err := json.Unmarshal(v.output, &result); err != nil {
		t.Fatalf("%s: the output is %q: %v", op, v.output, err)
	}
	return result, v
}

func TestGuest(t *testing.T) {
	h := newTestHost(t, buildModule(t, "testdata/plugin"))
	engine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.URL.Path == "/hang" {
			<-r.Context().Done()
			return
		}
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprintf(w, "%s %s %s %s", r.Method, r.URL.Path, r.URL.Query().Get("q"), body)
	}))
	t.Cleanup(engine.Close)
	h.engine = engine.URL

	t.Run("start", func(t *testing.T) {
		tests := map[string]string{
			"greet": "hello demo",
			// Both pipes are filled, the second while nobody would read it.
			"run:head -c 300000 /dev/zero >&2; head -c 300000 /dev/zero; exit 3": `3 out=300000 err=300000 `,
			"run:cat; echo $WHO >&2": `0 out=6 err=6 "in\x00put" "guest\n" false`,
			"two":                    "hello",
			"works":                  "yes",
			"patience":               `"bye\n" 3`,
			"timers":                 "context deadline exceeded <nil>",
			"http:/tea/x":            "418 POST /tea/x ä b body",
		}
		for image, want := range tests {
			if status, id, failure := start(t.Context(), t, h, image); status != abi.OK || !strings.HasPrefix(strings.ReplaceAll(id, "<nil>", ""), strings.ReplaceAll(want, "<nil>", "")) {
				t.Errorf("%s: status %d, %q, %+v, want %q", image, status, id, failure, want)
			}
		}
	})

	t.Run("errors keep all they have", func(t *testing.T) {
		for _, code := range []sdk.Code{sdk.CodePortInUse, sdk.CodeExited, sdk.CodeUnauthorized} {
			status, _, failure := start(t.Context(), t, h, "fail:"+string(code))
			want := abi.Error{Message: "as asked", Op: "start", Resource: "web", Hint: "ask otherwise", ExitCode: 3, Output: "last words"}
			if status.Code() != code || failure != want {
				t.Errorf("%s became %d, %+v", code, status, failure)
			}
		}
	})

	t.Run("a cancelled operation cleans up", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if status, _, failure := start(ctx, t, h, "sleep"); status != abi.Timeout || !strings.HasPrefix(failure.Message, "cleaned") {
			t.Errorf("after the deadline: status %d, %+v", status, failure)
		}
		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(50*time.Millisecond, cancel)
		if status, _, failure := start(ctx, t, h, "sleep"); status != abi.Cancelled || !strings.HasPrefix(failure.Message, "cleaned") {
			t.Errorf("after the cancellation: status %d, %+v", status, failure)
		}
		ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if status, _, failure := start(ctx, t, h, "http:/hang"); status != abi.Timeout {
			t.Errorf("an engine that hangs: status %d, %+v", status, failure)
		}
	})

	t.Run("programs end with their context", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if status, _, failure := start(ctx, t, h, "slow"); status != abi.Timeout {
			t.Errorf("one of the operation: status %d, %+v", status, failure)
		}
		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, cancel)
		if status, _, failure := start(ctx, t, h, "outlive"); status != abi.Cancelled || !strings.HasPrefix(failure.Message, "finished") {
			t.Errorf("one that outlives the operation: status %d, %+v", status, failure)
		}
	})

	t.Run("a panic is told on stderr", func(t *testing.T) {
		_, _, err := h.invoke(t.Context(), abi.Start, abi.Request[abi.SpecArgs]{Args: abi.SpecArgs{Spec: sdk.Spec{Image: "panic"}}})
		if err == nil || !strings.Contains(h.stderr.String(), "as asked") {
			t.Errorf("error = %v, stderr %q", err, h.stderr.String())
		}
	})

	t.Run("store", func(t *testing.T) {
		start(t.Context(), t, h, "store:value")
		result, _ := invoke[abi.StateResult](t, h, abi.Inspect, abi.IDArgs{ID: "demo-web"})
		if result.State.Image != "value" {
			t.Errorf("state = %+v", result.State)
		}
		status, v, err := h.invoke(t.Context(), abi.Inspect, abi.Request[abi.IDArgs]{Args: abi.IDArgs{ID: "other"}})
		if status != abi.NotFound || err != nil {
			t.Errorf("a missing key: status %d, %v, %s", status, err, v.output)
		}
	})

	t.Run("logs", func(t *testing.T) {
		_, v := invoke[abi.None](t, h, abi.Logs, abi.LogsArgs{Options: sdk.LogOptions{Tail: 2}})
		if v.written[abi.StreamStderr] != "\x00\n\x01\n" || len(v.times) != 2 || v.times[1] != 1e9+5 {
			t.Errorf("written %v at %v", v.written, v.times)
		}
		_, v = invoke[abi.None](t, h, abi.Logs, abi.LogsArgs{ID: "forward"})
		if v.written[abi.StreamStdout] != "a\x00b" {
			t.Errorf("forwarded %v", v.written)
		}
	})

	t.Run("exec", func(t *testing.T) {
		result, v := invoke[abi.ExecResult](t, h, abi.Exec, abi.ExecArgs{Options: sdk.ExecOptions{Command: []string{"ls"}, User: "me"}})
		if result.ExitCode != 7 || v.written[abi.StreamStdout] != "[ls]" || v.written[abi.StreamStderr] != "me" {
			t.Errorf("exit code %d, written %v", result.ExitCode, v.written)
		}
	})

	t.Run("prepare", func(t *testing.T) {
		_, v := invoke[abi.None](t, h, abi.Prepare, abi.SpecArgs{Spec: sdk.Spec{Image: "redis"}})
		if len(v.emitted) != 1 || *v.emitted[0].Progress != (sdk.Progress{Action: "pull", Status: "redis", Current: 1, Total: 2}) {
			t.Errorf("emitted %+v", v.emitted)
		}
	})

	t.Run("events", func(t *testing.T) {
		since := time.Unix(5, 6).UTC()
		_, v := invoke[abi.None](t, h, abi.Events, abi.EventsArgs{Project: "demo", Since: since})
		if len(v.emitted) != 3 || v.emitted[0].Type != abi.EmitSubscribed {
			t.Fatalf("emitted %+v", v.emitted)
		}
		if event, err := v.emitted[1].SDKEvent(); err != nil || event.Name != "demo" || !event.Time.Equal(since) {
			t.Errorf("event = %+v, %v", event, err)
		}
		if event, err := v.emitted[2].SDKEvent(); err != nil || !sdk.IsCode(event.Err, sdk.CodeUnavailable) {
			t.Errorf("event = %+v, %v", event, err)
		}
	})

	t.Run("an export without the method", func(t *testing.T) {
		status, _, err := h.invoke(t.Context(), abi.NetworkEnsure, abi.Request[abi.NetworkArgs]{})
		if status != abi.Unsupported || err != nil {
			t.Errorf("status %d, %v", status, err)
		}
	})
}
