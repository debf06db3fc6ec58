package examples

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/lightshuttle/lightshuttle/host/wasm"
	"github.com/lightshuttle/lightshuttle/sdk"
)

func TestMinimal(t *testing.T) {
	source, err := os.ReadFile("minimal/minimal.c")
	if err != nil {
		t.Fatal(err)
	}
	if size, lines := len(module(t, "minimal")), bytes.Count(source, []byte("\n")); size >= 4096 || lines >= 120 {
		t.Errorf("minimal has %d bytes and %d lines, more than it may", size, lines)
	}
	runtime := open(t, "minimal", wasm.Options{Project: "demo", Grants: wasm.Grants{KV: 65536}})
	name := `demo."we\b"é`
	spec := sdk.Spec{Project: "demo", Resource: "web", Name: name, Image: "nginx:1"}
	id, err := runtime.Start(t.Context(), spec)
	if err != nil || id != name {
		t.Fatalf("Start = %q, %v", id, err)
	}
	if _, err := runtime.Start(t.Context(), spec); !sdk.IsCode(err, sdk.CodeConflict) {
		t.Errorf("a second Start: %v, want a conflict", err)
	}
	spec.Name, spec.Build = "other", &sdk.Build{Context: "/tmp"}
	if _, err := runtime.Start(t.Context(), spec); !sdk.IsCode(err, sdk.CodeUnsupported) {
		t.Errorf("Start with a build: %v, want unsupported", err)
	}
	state, err := runtime.WaitHealthy(t.Context(), id, &sdk.Healthcheck{Test: []string{"true"}})
	if err != nil || state.ID != id || state.Image != "nginx:1" || state.Health != sdk.HealthHealthy {
		t.Errorf("WaitHealthy = %+v, %v", state, err)
	}
	for range 2 {
		if err := runtime.Stop(t.Context(), id, time.Second); err != nil {
			t.Errorf("Stop: %v", err)
		}
	}
	if _, err := runtime.WaitHealthy(t.Context(), id, nil); !sdk.IsCode(err, sdk.CodeNotFound) {
		t.Errorf("WaitHealthy of what is gone: %v", err)
	}
}
