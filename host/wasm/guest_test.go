package wasm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/lightshuttle/lightshuttle/host/wasm/wasmtest"
	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
	"github.com/lightshuttle/lightshuttle/sdk/guest/pack"
)

// goGuest builds the runtime in Go that package guest is tested with.
var goGuest = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "guest-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "plugin.wasm")
	build := exec.Command("go", "build", "-buildmode=c-shared", "-trimpath", "-ldflags=-s -w", "-o", file, "../../sdk/guest/testdata/plugin")
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return nil, err
	}
	module, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return pack.Manifest(module, wasmtest.Manifest("plugin", abi.Requests{Exec: []abi.ExecAccess{{Program: "sh", Env: []string{"WHO"}}}, KV: &abi.KVAccess{Bytes: 1000}}))
})

func guestBinary(t testing.TB) []byte {
	t.Helper()
	binary, err := goGuest()
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

func TestAGuestInGo(t *testing.T) {
	r := open(t, guestBinary(t), Options{
		Limits:  Limits{Compile: 10 * time.Minute}, // the race detector slows compiling down
		Project: "shop", Config: []byte(`{"greeting":"hi"}`),
		Grants: Grants{KV: 1000, Exec: []ExecGrant{{Program: "sh", Path: "/bin/sh", Env: []string{"WHO"}}}},
	})
	ctx := context.Background()
	for image, want := range map[string]string{
		"greet":                      "hi shop",
		"store:v1":                   "n",
		"run:cat; echo $WHO; exit 3": `3 out=12 err=0 "in\x00putguest\n" "" false`,
		"timers":                     "context deadline exceeded <nil>",
	} {
		if id, err := r.Start(ctx, sdk.Spec{Name: "n", Image: image}); err != nil || id != want {
			t.Errorf("%s: %q, %v, want %q", image, id, err, want)
		}
	}
	_, err := r.Start(ctx, sdk.Spec{Name: "n", Image: "panic"})
	if failure, ok := errors.AsType[*Failure](err); !ok || failure.Kind != Trap || !strings.Contains(err.Error(), "panic: as asked") {
		t.Errorf("error = %v, want a trap with the words of the panic", err)
	}
	_, err = r.Start(ctx, sdk.Spec{Name: "n", Image: "fail:conflict"})
	if !sdk.IsCode(err, sdk.CodeConflict) || !strings.Contains(err.Error(), "as asked") {
		t.Errorf("error = %v, want a conflict, as asked", err)
	}

	ctx, cancel := context.WithCancel(ctx)
	time.AfterFunc(200*time.Millisecond, cancel)
	_, err = r.Start(ctx, sdk.Spec{Name: "n", Image: "sleep"})
	if !sdk.IsCode(err, sdk.CodeCancelled) || !strings.Contains(err.Error(), "cleaned") {
		t.Errorf("error = %v, want that it was cancelled and has cleaned up", err)
	}
}

// The guests of the examples do the same hardened as they are, errors included.
func TestHardeningChangesNothingAboutGuests(t *testing.T) {
	dir := t.TempDir()
	build := exec.CommandContext(t.Context(), "../../scripts/wasm", "../../wasm-examples/minimal")
	build.Env = append(os.Environ(), "OUT="+dir)
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	minimal, err := os.ReadFile(filepath.Join(dir, "minimal.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	for name, guest := range map[string]struct {
		binary []byte
		images []string
	}{
		"C":  {minimal, []string{"db:1", "db:1", "other:2"}},
		"Go": {guestBinary(t), []string{"greet", "store:v1", "run:echo x; exit 3", "timers", "fail:conflict", "panic"}},
	} {
		t.Run(name, func(t *testing.T) {
			told := map[bool][]string{}
			for _, unhardened := range []bool{false, true} {
				options := Options{Limits: Limits{Compile: 10 * time.Minute}, Project: "shop", Unhardened: unhardened, Grants: Grants{KV: 1000}}
				if name == "Go" {
					options.Grants.Exec = []ExecGrant{{Program: "sh", Path: "/bin/sh"}}
				}
				r := open(t, guest.binary, options)
				for _, image := range guest.images {
					id, err := r.Start(t.Context(), sdk.Spec{Name: "shop." + image[:2], Project: "shop", Image: image})
					state, waitErr := r.WaitHealthy(t.Context(), id, nil)
					told[unhardened] = append(told[unhardened], fmt.Sprint(id, err, state.Image, state.Status, waitErr))
				}
				told[unhardened] = append(told[unhardened], fmt.Sprint(r.Stop(t.Context(), "shop.db", 0)))
			}
			if !slices.Equal(told[false], told[true]) {
				t.Errorf("hardened it told\n%s\nplain\n%s", strings.Join(told[false], "\n"), strings.Join(told[true], "\n"))
			}
		})
	}
}

// BenchmarkGoGuest runs an operation of a guest in Go, instance and all, with
// and without hardening.
func BenchmarkGoGuest(b *testing.B) {
	for name, unhardened := range map[string]bool{"hardened": false, "as it is": true} {
		b.Run(name, func(b *testing.B) {
			r, err := Open(b.Context(), guestBinary(b), Options{Config: []byte(`{"greeting":"hi"}`), Unhardened: unhardened})
			if err != nil {
				b.Fatal(err)
			}
			defer r.Close()
			for b.Loop() {
				if _, err := r.Start(b.Context(), sdk.Spec{Name: "n", Image: "greet"}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkEcho sends 1 KiB to a small guest and back, instance and all.
func BenchmarkEcho(b *testing.B) {
	m := wasmtest.New("echo", abi.Requests{})
	read := m.Import(abi.ModuleCore, abi.InputRead)
	write := m.Import(abi.ModuleCore, abi.OutputWrite)
	m.Core(map[abi.Operation]wasmtest.Code{abi.Start: wasmtest.Join(
		wasmtest.Const(1024), wasmtest.Const(8192), wasmtest.Const(0), wasmtest.Call(read), wasmtest.Set(0), wasmtest.Const(1024), wasmtest.Get(0), wasmtest.Call(write))})
	plugin, err := Load(b.Context(), m.Bytes(), Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer plugin.Close()
	args := abi.IDArgs{ID: string(make([]byte, 170))} // each byte is written as \u0000
	b.ReportAllocs()
	for b.Loop() {
		if _, err := plugin.Invoke(b.Context(), Invocation{Op: abi.Start, Args: args}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkWarmStart loads a guest in Go from the disk cache and makes an
// instance of it; "bare" is the engine alone doing so.
func BenchmarkWarmStart(b *testing.B) {
	binary := guestBinary(b)
	b.Run("host", func(b *testing.B) {
		dir := filepath.Join(b.TempDir(), "cache")
		once := func() {
			r, err := Open(b.Context(), binary, Options{CacheDir: dir, Config: []byte(`{"greeting":"hi"}`)})
			if err != nil {
				b.Fatal(err)
			}
			if _, err := r.Start(b.Context(), sdk.Spec{Name: "n", Image: "greet"}); err != nil {
				b.Fatal(err)
			}
			_ = r.Close()
		}
		once()
		for b.Loop() {
			once()
		}
	})
	b.Run("bare", func(b *testing.B) {
		dir := b.TempDir()
		once := func() { bareStart(b, dir, binary) }
		once()
		for b.Loop() {
			once()
		}
	})
}

func bareStart(b *testing.B, dir string, binary []byte) {
	ctx := b.Context()
	cache, err := wazero.NewCompilationCacheWithDir(dir)
	if err != nil {
		b.Fatal(err)
	}
	defer cache.Close(ctx)
	runtime := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCloseOnContextDone(true).WithCompilationCache(cache))
	defer runtime.Close(ctx)
	wasi_snapshot_preview1.MustInstantiate(ctx, runtime)
	for _, name := range []string{abi.ModuleCore, abi.ModuleExec, abi.ModuleHTTP, abi.ModuleKV} {
		builder := runtime.NewHostModuleBuilder(name)
		for _, f := range abi.Functions() {
			if f.Module == name {
				builder.NewFunctionBuilder().WithGoModuleFunction(imports[name][f.Name], valueTypes(f.Params), valueTypes(f.Results)).Export(f.Name)
			}
		}
		if _, err := builder.Instantiate(ctx); err != nil {
			b.Fatal(err)
		}
	}
	compiled, err := runtime.CompileModule(ctx, binary)
	if err != nil {
		b.Fatal(err)
	}
	instance, err := runtime.InstantiateModule(ctx, compiled, wazero.NewModuleConfig().WithName("").WithStartFunctions(abi.Initialize).WithSysWalltime().WithSysNanotime())
	if err != nil {
		b.Fatal(err)
	}
	if _, err := instance.ExportedFunction(abi.Marker).Call(ctx); err != nil {
		b.Fatal(err)
	}
}
