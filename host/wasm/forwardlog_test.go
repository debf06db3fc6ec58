package wasm

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/lightshuttle/lightshuttle/host/wasm/wasmtest"
	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

// logsOf is a module whose logs are what a script prints, taken apart by the
// host; the operation returns the status.
func logsOf(script, wanted string) []byte {
	m := wasmtest.New("printer", abi.Requests{Exec: []abi.ExecAccess{{Program: "sh"}}})
	spawn, forward := m.Import(abi.ModuleExec, abi.ExecSpawn), m.Import(abi.ModuleCore, abi.LogForward)
	request := fmt.Sprintf(`{"program":"sh","args":["-c",%q]}`, script)
	log := `{"stdout":1,"stderr":2` + wanted + `}`
	m.Data(1024, []byte(request))
	m.Data(4096, []byte(log))
	m.Core(map[abi.Operation]wasmtest.Code{abi.Logs: wasmtest.Join(
		wasmtest.Const(1024), wasmtest.Const(int32(len(request))), wasmtest.Const(0), wasmtest.Const(0), wasmtest.Call(spawn), wasmtest.Drop,
		wasmtest.Const(4096), wasmtest.Const(int32(len(log))), wasmtest.Call(forward))})
	return m.Bytes()
}

func openPrinter(t *testing.T, script, wanted string) sdk.Logger {
	t.Helper()
	return open(t, logsOf(script, wanted), Options{Grants: Grants{Exec: []ExecGrant{{Program: "sh", Path: "/bin/sh"}}}}).(sdk.Logger)
}

// The host merges both outputs, takes the times off, and leaves out what isn't
// wanted, or was given before.
func TestTheHostTakesALogApart(t *testing.T) {
	const script = `
echo '2026-01-02T03:04:05Z one'
echo '2026-01-02T03:04:06Z two' >&2
echo 'time="x" level=warning msg="not the container"' >&2
echo '2026-01-02T03:04:07Z three'
echo '2026-01-02T03:04:07Z four'
printf '2026-01-02T03:04:08.5Z five' >&2`
	for wanted, want := range map[string]string{
		``:                                "stdout one\n|stderr two\n|stdout three\n|stdout four\n|stderr five",
		`,"since":"2026-01-02T03:04:06Z"`: "stderr two\n|stdout three\n|stdout four\n|stderr five",
		`,"after":{"first":"2026-01-02T03:04:05Z","stdout":{"time":"2026-01-02T03:04:07Z","count":1},"stderr":{"time":"2026-01-02T03:04:06Z","count":1}}`: "stdout four\n|stderr five",
	} {
		var got []string
		err := openPrinter(t, script, wanted).Logs(t.Context(), "c1", sdk.LogOptions{Tail: -1}, func(e sdk.LogEntry) error {
			got = append(got, fmt.Sprintf("%s %s", e.Stream, e.Data))
			return nil
		})
		if text := strings.Join(got, "|"); err != nil || text != want {
			t.Errorf("%s: got %q, %v; want %q", wanted, text, err, want)
		}
	}
}

// A receiver that fails ends a log that would go on, with its own error.
func TestAReceiverEndsALogThatTheHostTakesApart(t *testing.T) {
	mine, calls := errors.New("mine"), 0
	err := openPrinter(t, "while echo 2026-01-02T03:04:05Z again; do :; done", "").Logs(t.Context(), "c1", sdk.LogOptions{Follow: true, Tail: -1}, func(sdk.LogEntry) error {
		calls++
		return mine
	})
	if err != mine || calls != 1 {
		t.Errorf("Logs() = %v after %d calls, want the receiver's own error after one", err, calls)
	}
}

// So does the end of its context, while nothing is printed.
func TestALogThatTheHostTakesApartIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	err := openPrinter(t, "echo 2026-01-02T03:04:05Z once; exec sleep 600", "").Logs(ctx, "c1", sdk.LogOptions{Follow: true, Tail: -1}, func(sdk.LogEntry) error {
		cancel()
		return nil
	})
	if !sdk.IsCode(err, sdk.CodeCancelled) && !errors.Is(err, context.Canceled) {
		t.Errorf("Logs() = %v, want that it is cancelled", err)
	}
}

// A log of handles that there aren't, or twice of the same, is refused.
func TestALogNeedsHandlesOfItsOwn(t *testing.T) {
	for _, handles := range []string{`,"stderr":1`, `,"frames":2`, `,"stderr":3`, `,"stderr":9`} {
		err := openPrinter(t, "echo 2026-01-02T03:04:05Z once", handles).Logs(t.Context(), "c1", sdk.LogOptions{Tail: -1}, func(sdk.LogEntry) error { return nil })
		if !sdk.IsCode(err, sdk.CodeInternal) {
			t.Errorf("%s: error = %v, want a bad handle", handles, err)
		}
	}
}
