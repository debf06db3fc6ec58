package main

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lightshuttle/lightshuttle/sdk"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// kv is a store of a bounded size.
type kv struct {
	values map[string][]byte
	limit  int
}

func (s *kv) Get(key string) ([]byte, error) {
	value, ok := s.values[key]
	if !ok {
		return nil, sdk.Errorf(sdk.CodeNotFound, "get", "no %s", key)
	}
	return value, nil
}

func (s *kv) Set(key string, value []byte) error {
	size := len(key) + len(value)
	for k, v := range s.values {
		size += len(k) + len(v)
	}
	if size > s.limit {
		return errors.New("full")
	}
	s.values[key] = value
	return nil
}

func (s *kv) Delete(key string) error {
	delete(s.values, key)
	return nil
}

func (s *kv) List(prefix string) ([]string, error) {
	keys := slices.Sorted(maps.Keys(s.values))
	return slices.DeleteFunc(keys, func(key string) bool { return !strings.HasPrefix(key, prefix) }), nil
}

// engine is a runtime whose container becomes another at each look.
type engine struct {
	wrapped
	looks int
}

func (e *engine) Start(_ context.Context, spec sdk.Spec) (string, error) {
	if spec.Image == "none" {
		return "", &sdk.Error{Code: sdk.CodeImageNotFound, Op: "start", Resource: spec.Resource, Err: errors.New("no such image")}
	}
	return "id-" + spec.Name, nil
}

func (e *engine) Inspect(_ context.Context, id string) (sdk.State, error) {
	e.looks++
	if e.looks == 1 {
		return sdk.State{ID: id, Status: sdk.StatusRunning, Health: sdk.HealthNone}, nil
	}
	code := 3
	return sdk.State{ID: id, Status: sdk.StatusExited, ExitCode: &code}, nil
}

func (e *engine) Stop(context.Context, string, time.Duration) error { return nil }

func (e *engine) Logs(_ context.Context, _ string, _ sdk.LogOptions, sink func(sdk.LogEntry) error) error {
	return sink(sdk.LogEntry{Stream: sdk.Stderr, Data: []byte("hello\n")})
}

func TestAReplaySaysWhatWasRecorded(t *testing.T) {
	kept := &kv{values: map[string][]byte{}, limit: 1 << 20}
	play := func(r *recorder) {
		t.Helper()
		id, err := r.Start(t.Context(), sdk.Spec{Name: "web", Env: map[string]string{"PW": "s3cret", "A": "b"}, SecretEnv: []string{"PW"}})
		if err != nil || id != "id-web" {
			t.Errorf("Start() = %q, %v", id, err)
		}
		if _, err := r.Start(t.Context(), sdk.Spec{Name: "bad", Resource: "bad", Image: "none"}); !sdk.IsCode(err, sdk.CodeImageNotFound) || err.Error() != "bad: start: no such image" {
			t.Errorf("Start() of no image = %v", err)
		}
		for _, want := range []sdk.Status{sdk.StatusRunning, sdk.StatusExited, sdk.StatusExited} {
			if state, err := r.Inspect(t.Context(), id); err != nil || state.Status != want {
				t.Errorf("Inspect() = %+v, %v, want %s", state, err, want)
			}
		}
		var printed string
		err = r.Logs(t.Context(), id, sdk.LogOptions{Tail: -1}, func(e sdk.LogEntry) error {
			printed += string(e.Stream) + " " + string(e.Data)
			return nil
		})
		if err != nil || printed != "stderr hello\n" {
			t.Errorf("Logs() = %q, %v", printed, err)
		}
		if err := r.Stop(t.Context(), id, time.Second); err != nil {
			t.Errorf("Stop() = %v", err)
		}
	}
	play(&recorder{inner: &engine{}, record: record{kept}})
	if len(kept.values) != 7 {
		t.Errorf("%d operations are recorded, want 7", len(kept.values))
	}
	for key, value := range kept.values {
		if strings.Contains(string(value), "s3cret") {
			t.Errorf("%s has the secret: %s", key, value)
		}
	}
	again := &recorder{record: record{kept}, replay: true}
	play(again)
	if _, err := again.Inspect(t.Context(), "other"); !sdk.IsCode(err, sdk.CodeNotFound) {
		t.Errorf("Inspect() of what isn't recorded = %v", err)
	}
}

func TestAFullRecordForgetsItsOldest(t *testing.T) {
	kept := &kv{values: map[string][]byte{}, limit: 8 << 10}
	r := &recorder{inner: &engine{}, record: record{kept}}
	for range 200 {
		if err := r.Stop(t.Context(), "web", time.Second); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Start(t.Context(), sdk.Spec{Name: "last"}); err != nil {
		t.Fatal(err)
	}
	if keys, _ := kept.List("op/ls_start/last/"); len(keys) != 1 {
		t.Errorf("the newest isn't recorded: %v", keys)
	}
	if keys, _ := kept.List("op/ls_stop/"); len(keys) < 10 || len(keys) > 100 {
		t.Errorf("%d old ones are left", len(keys))
	}
}
