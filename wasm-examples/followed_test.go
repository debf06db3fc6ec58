package examples

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lightshuttle/lightshuttle/host/wasm"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// hasty is an engine that stops following as soon as its container has ended:
// then two lines are told, and the last three aren't.
func hasty(w http.ResponseWriter, r *http.Request) {
	lines := []string{"2026-01-02T03:04:05.1Z one\n", "2026-01-02T03:04:05.2Z two\n", "2026-01-02T03:04:05.2Z a piece of it\n", "2026-01-02T03:04:05.3Z three\n", "2026-01-02T03:04:05.4Z the end"}
	if r.FormValue("follow") == "true" {
		lines = lines[:2]
	}
	for i, line := range lines {
		head := []byte{byte(1 + i/2%2), 0, 0, 0, 0, 0, 0, 0}
		binary.BigEndian.PutUint32(head[4:], uint32(len(line)))
		_, _ = fmt.Fprintf(w, "%s%s", head, line)
	}
}

// An engine's followed log is read to its end, though the engine stops before.
func TestAFollowedLogIsReadToItsEnd(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "engine.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(hasty), ReadHeaderTimeout: time.Minute}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(listener)
	}()
	t.Cleanup(func() {
		server.Close()
		<-served
	})
	runtime := open(t, "engine-http", wasm.Options{
		Grants: wasm.Grants{HTTP: []wasm.HTTPGrant{{Endpoint: "engine", Address: "unix://" + socket}}},
	})
	var got strings.Builder
	err = runtime.(sdk.Logger).Logs(t.Context(), "c1", sdk.LogOptions{Follow: true, Tail: -1}, func(entry sdk.LogEntry) error {
		got.Write(entry.Data)
		return nil
	})
	if want := "one\ntwo\na piece of it\nthree\nthe end"; err != nil || got.String() != want {
		t.Errorf("Logs() gave %q, %v; want %q", got.String(), err, want)
	}
}
