package module

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"pgregory.net/rapid"
)

// outcome is all that can be seen of a run from outside.
type outcome struct {
	results string
	failure string
	memory  [sha256.Size]byte
	pages   uint32
	globals string
}

// engine has the features of plugins.
func engine(t interface {
	Fatal(args ...any)
	Cleanup(f func())
},
) wazero.Runtime {
	features := api.CoreFeaturesV2 &^ (api.CoreFeatureReferenceTypes | api.CoreFeatureSIMD)
	r := wazero.NewRuntimeWithConfig(context.Background(), wazero.NewRuntimeConfig().
		WithCoreFeatures(features).WithCloseOnContextDone(true).WithMemoryLimitPages(16).WithDebugInfoEnabled(false))
	t.Cleanup(func() { _ = r.Close(context.Background()) })
	return r
}

func observe(t *rapid.T, binary []byte) outcome {
	ctx := context.Background()
	r := engine(t)
	instance, err := r.Instantiate(ctx, binary)
	if err != nil {
		t.Fatalf("instantiate: %v", err)
	}
	results, err := instance.ExportedFunction("run").Call(ctx)
	seen := outcome{results: fmt.Sprint(results), pages: instance.Memory().Size() >> 16}
	if err != nil {
		seen.failure, _, _ = strings.Cut(err.Error(), "\n")
	}
	memory, _ := instance.Memory().Read(0, instance.Memory().Size())
	seen.memory = sha256.Sum256(memory)
	for i := range 10 {
		if global := instance.ExportedGlobal("global" + string(rune('0'+i))); global != nil {
			seen.globals += global.String() + " "
		}
	}
	return seen
}

// A hardened module computes what the plain one does: the same results, memory,
// globals and crashes.
func TestHardeningChangesNoResult(t *testing.T) {
	crashes, ends := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		plain := generate(t)
		if _, err := Inspect(plain); err != nil {
			t.Fatalf("inspect: %v", err)
		}
		hardened, err := Harden(plain)
		if err != nil {
			t.Fatalf("harden: %v", err)
		}
		if bytes.Equal(plain, hardened) {
			t.Fatal("hardening has added nothing")
		}
		want, got := observe(t, plain), observe(t, hardened)
		if got != want {
			t.Fatalf("hardened it does\n%+v, plain\n%+v", got, want)
		}
		if want.failure != "" {
			crashes++
			return
		}
		ends++
	})
	t.Logf("%d modules crashed, %d came to their end", crashes, ends)
	if crashes == 0 || ends == 0 {
		t.Errorf("%d modules crashed and %d didn't: neither may be all", crashes, ends)
	}
}

// Harden puts a checkpoint in front of each function and of what works on memory
// of any size, and leaves the rest as it is.
func TestHardenAddsOnlyCheckpoints(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		plain := generate(t)
		before, err := parse(plain)
		if err != nil {
			t.Fatal(err)
		}
		after, err := parse(before.harden(plain))
		if err != nil {
			t.Fatal(err)
		}
		if len(before.checkpoints) != len(after.checkpoints) {
			t.Fatalf("%d functions became %d", len(before.checkpoints), len(after.checkpoints))
		}
		for i, was := range before.checkpoints {
			is := after.checkpoints[i]
			if want := len(was.body) + len(was.places)*len(checkpoint); len(is.body) != want {
				t.Fatalf("function %d has %d bytes, want %d", i, len(is.body), want)
			}
			if stripped := bytes.ReplaceAll(is.body, checkpoint, nil); !bytes.Equal(stripped, bytes.ReplaceAll(was.body, checkpoint, nil)) {
				t.Fatalf("function %d is another one", i)
			}
			if len(is.places) != len(was.places) {
				t.Fatalf("function %d has %d places to guard, had %d", i, len(is.places), len(was.places))
			}
		}
	})
}

// FuzzCompile shows that what the gate lets through makes the engine's compiler
// fail or succeed, not crash, and that hardening changes nothing about it.
func FuzzCompile(f *testing.F) {
	modules := rapid.Custom(generate)
	for seed := range 20 {
		f.Add(modules.Example(seed))
	}
	r := engine(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 16<<10 {
			return // compiling is slow
		}
		prepared, err := Prepare(data)
		if err != nil {
			return
		}
		plainErr, hardenedErr := compiles(r, data), compiles(r, prepared.Code)
		if (plainErr == nil) != (hardenedErr == nil) {
			t.Fatalf("plain: %v; hardened: %v", plainErr, hardenedErr)
		}
	})
}

func compiles(r wazero.Runtime, binary []byte) error {
	compiled, err := r.CompileModule(context.Background(), binary)
	if err != nil {
		return err
	}
	return compiled.Close(context.Background())
}
