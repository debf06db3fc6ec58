//go:build conformance

package examples

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/lightshuttle/lightshuttle/host/wasm"
	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

// client is a program that answers as docker's would, as far as one container
// needs.
const client = `#!/bin/sh
case "$1" in
run) echo 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef ;;
inspect) echo '[{"Id":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef","Name":"/web","State":{"Status":"running"},"Config":{"Image":"app:1"}}]' ;;
esac
`

// TestRecorder records a few operations, and replays them in a runtime whose
// program can do nothing.
func TestRecorder(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "docker")
	if err := os.WriteFile(path, []byte(client), 0o700); err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	play := func(program string, replay bool) {
		config, err := json.Marshal(map[string]any{"replay": replay})
		if err != nil {
			t.Fatal(err)
		}
		runtime := open(t, "recorder", wasm.Options{
			Project: "demo", Config: config, DataDir: data,
			Grants: wasm.Grants{KV: 1 << 20, Exec: []wasm.ExecGrant{{Program: "engine", Path: program, Env: []string{abi.AnyVariable}}}},
		})
		id, err := runtime.Start(t.Context(), sdk.Spec{Project: "demo", Resource: "web", Name: "web", Image: "app:1"})
		if err != nil || len(id) != 64 {
			t.Fatalf("Start() = %q, %v", id, err)
		}
		state, err := runtime.(sdk.Inspector).Inspect(t.Context(), id)
		if err != nil || state.Status != sdk.StatusRunning || state.Name != "web" {
			t.Errorf("Inspect() = %+v, %v", state, err)
		}
		if err := runtime.Stop(t.Context(), id, time.Second); err != nil {
			t.Errorf("Stop() = %v", err)
		}
		if err := runtime.Close(); err != nil {
			t.Error(err)
		}
	}
	play(path, false)
	play("/bin/false", true)
}
