package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/lightshuttle/lightshuttle/host/wasm"
	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

// bareEngine is the engine of WASM alone.
const bareEngine = "bare wazero"

// warmStarts is how many starts a round has.
const warmStarts = 10

// wasmWarm loads a plugin that was compiled before and runs its first operation,
// as bare wazero does it with functions of the host that do nothing.
func wasmWarm(ctx context.Context, h *harness) error {
	for _, guest := range []struct{ name, folder string }{
		{"a Go guest", filepath.Join("bench", "wasmguest")}, {"a C guest", filepath.Join("wasm-examples", "minimal")},
	} {
		binary, err := h.wasmModule(ctx, guest.folder)
		if err != nil {
			return err
		}
		took := figures{}
		ours, bare := filepath.Join(h.dir, "warm", guest.name), filepath.Join(h.dir, "bare", guest.name)
		if err := os.MkdirAll(bare, 0o700); err != nil {
			return err
		}
		for round := range h.runs*warmStarts + 2 {
			began := time.Now()
			if err := warmStart(ctx, binary, ours); err != nil {
				return fmt.Errorf("%s: %w", guest.name, err)
			}
			mine := time.Since(began)
			began = time.Now()
			if err := bareStart(ctx, binary, bare); err != nil {
				return fmt.Errorf("%s, bare: %w", guest.name, err)
			}
			if round > 1 { // the first compiles
				took.add(us, microseconds(mine))
				took.add(bareEngine, microseconds(time.Since(began)))
			}
		}
		h.report.addOf("warm start of "+guest.name, "µs", took, us, bareEngine)
		h.report.compare("warm start of "+guest.name+" ÷ bare wazero", took[us], took[bareEngine], 1.3)
	}
	return nil
}

func warmStart(ctx context.Context, binary []byte, cache string) error {
	r, err := wasm.Open(ctx, binary, wasm.Options{CacheDir: cache, Grants: wasm.Grants{KV: 1 << 16}, Limits: wasm.Limits{Compile: longestTurn}})
	if err != nil {
		return err
	}
	_, err = r.Start(ctx, echo(1))
	return errors.Join(err, r.Close())
}

// bareStart does what has to be done at least, with the same protection against
// what never ends.
func bareStart(ctx context.Context, binary []byte, dir string) error {
	cache, err := wazero.NewCompilationCacheWithDir(dir)
	if err != nil {
		return err
	}
	defer cache.Close(ctx)
	runtime := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCloseOnContextDone(true).WithCompilationCache(cache))
	defer runtime.Close(ctx)
	input, err := json.Marshal(abi.Request[abi.SpecArgs]{Ctx: abi.Context{Op: abi.Start}, Args: abi.SpecArgs{Spec: echo(1)}})
	if err != nil {
		return err
	}
	compiled, err := bareCompile(ctx, runtime, binary, input)
	if err != nil {
		return err
	}
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions(abi.Initialize).WithSysWalltime().WithSysNanotime()
	instance, err := runtime.InstantiateModule(ctx, compiled, config)
	if err != nil {
		return err
	}
	results, err := instance.ExportedFunction(string(abi.Start)).Call(ctx)
	if err == nil && results[0] != 0 {
		err = sdk.Errorf(abi.Status(results[0]).Code(), "", "status %d", results[0])
	}
	return err
}

// bareCompile offers the modules that the binary imports from, as any host has
// to.
func bareCompile(ctx context.Context, runtime wazero.Runtime, binary, input []byte) (wazero.CompiledModule, error) {
	compiled, err := runtime.CompileModule(ctx, binary)
	if err != nil {
		return nil, err
	}
	needed := map[string]bool{}
	for _, f := range compiled.ImportedFunctions() {
		module, _, _ := f.Import()
		needed[module] = true
	}
	if needed[abi.ModuleWASI] {
		if _, err := wasi_snapshot_preview1.Instantiate(ctx, runtime); err != nil {
			return nil, err
		}
	}
	builders := map[string]wazero.HostModuleBuilder{}
	for _, f := range abi.Functions() {
		if !needed[f.Module] {
			continue
		}
		if builders[f.Module] == nil {
			builders[f.Module] = runtime.NewHostModuleBuilder(f.Module)
		}
		builders[f.Module].NewFunctionBuilder().WithGoModuleFunction(nothing(f.Name, input), valueTypes(f.Params), valueTypes(f.Results)).Export(f.Name)
	}
	for _, builder := range builders {
		if _, err := builder.Instantiate(ctx); err != nil {
			return nil, err
		}
	}
	return compiled, nil
}

func valueTypes(list []abi.Type) []api.ValueType {
	types := make([]api.ValueType, len(list))
	for i, t := range list {
		types[i] = api.ValueType(t)
	}
	return types
}

// nothing is a function of the host that does nothing but what the guest needs to
// come to its end: its input, and a store without that key.
func nothing(name string, input []byte) api.GoModuleFunc {
	return func(_ context.Context, m api.Module, stack []uint64) {
		switch name {
		case abi.InputRead:
			size := uint32(stack[1])
			if size == 0 {
				stack[0] = uint64(len(input))
				return
			}
			buffer, _ := m.Memory().Read(uint32(stack[0]), size)
			stack[0] = uint64(copy(buffer, input[min(int(uint32(stack[2])), len(input)):]))
		case abi.KVGet:
			stack[0] = uint64(abi.NotFound)
		default:
			if len(stack) > 0 {
				stack[0] = 0
			}
		}
	}
}
