package docker

import (
	"context"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// BenchmarkStart compares Start with the two requests that it can't do without.
func BenchmarkStart(b *testing.B) {
	r := benchEngine(b)
	spec := sdk.Spec{Project: "benchmark", Resource: "web", Name: "benchmark-web", Image: tiny, Command: []string{"wait"}}
	remove := func(id string) {
		b.StopTimer()
		if err := r.Remove(b.Context(), id); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.Run("raw", func(b *testing.B) {
		for b.Loop() {
			config, host, networking := createConfig(spec, r.api.ClientVersion())
			made, err := r.api.ContainerCreate(b.Context(), config, host, networking, nil, spec.Name)
			if err == nil {
				err = r.api.ContainerStart(b.Context(), made.ID, container.StartOptions{})
			}
			if err != nil {
				b.Fatal(err)
			}
			remove(made.ID)
		}
	})
	b.Run("start", func(b *testing.B) {
		for b.Loop() {
			id, err := r.Start(b.Context(), spec)
			if err != nil {
				b.Fatal(err)
			}
			remove(id)
		}
	})
}

// BenchmarkReady is the time from a container's start to its being known as
// ready, next to a single exec, which is the least it can take.
func BenchmarkReady(b *testing.B) {
	r := benchEngine(b)
	spec := sdk.Spec{Project: "benchmark", Resource: "ready", Name: "benchmark-ready", Image: tiny, Healthcheck: check("/tiny", "true")}
	id, err := r.Start(b.Context(), spec)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = r.Remove(context.WithoutCancel(b.Context()), id) }()
	if _, err := r.Watch(b.Context(), spec.Project, time.Time{}); err != nil { // as `up` does
		b.Fatal(err)
	}
	b.Run("exec", func(b *testing.B) {
		for b.Loop() {
			if _, err := r.Exec(b.Context(), id, sdk.ExecOptions{Command: spec.Healthcheck.Test}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("wait", func(b *testing.B) {
		for b.Loop() {
			if _, err := r.WaitHealthy(b.Context(), id, spec.Healthcheck); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("running", func(b *testing.B) {
		for b.Loop() {
			if _, err := r.WaitHealthy(b.Context(), id, &sdk.Healthcheck{Disable: true}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkList is what `ps` asks for.
func BenchmarkList(b *testing.B) {
	r := benchEngine(b)
	for n := range 20 {
		spec := sdk.Spec{Project: "benchmark", Resource: string(rune('a' + n)), Name: "benchmark-" + string(rune('a'+n)), Image: tiny}
		config, host, networking := createConfig(spec, "1.41")
		made, err := r.api.ContainerCreate(b.Context(), config, host, networking, nil, spec.Name)
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = r.Remove(context.WithoutCancel(b.Context()), made.ID) }()
	}
	for b.Loop() {
		states, err := r.List(b.Context(), "benchmark")
		if err != nil || len(states) != 20 {
			b.Fatal(len(states), err)
		}
	}
}

func benchEngine(b *testing.B) *Runtime {
	b.Helper()
	r, err := Open(Options{})
	if err == nil {
		_, err = r.negotiated(b.Context())
	}
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = r.Close() })
	return r
}
