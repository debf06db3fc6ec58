package wasm

import (
	"context"
	"testing"
	"time"

	"github.com/lightshuttle/lightshuttle/host/wasm/wasmtest"
	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

// answering is a plugin whose operations answer with fixed documents.
func answering(answers map[abi.Operation]string) *wasmtest.Module {
	m := wasmtest.New("test", abi.Requests{})
	write := m.Import(abi.ModuleCore, abi.OutputWrite)
	at := int32(1024)
	given := map[abi.Operation]wasmtest.Code{}
	for operation, answer := range answers {
		m.Data(at, []byte(answer))
		given[operation] = wasmtest.Join(wasmtest.Const(at), wasmtest.Const(int32(len(answer))), wasmtest.Call(write))
		at += int32(len(answer))
	}
	m.Core(given)
	return m
}

func open(t *testing.T, binary []byte, options Options) Runtime {
	t.Helper()
	runtime, err := Open(t.Context(), binary, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = runtime.Close() })
	return runtime
}

func startOne(ctx context.Context, r Runtime) error {
	_, err := r.Start(ctx, sdk.Spec{Project: "shop", Resource: "db", Name: "shop.db", Image: "db:1"})
	return err
}

func TestACoreRuntimeStartsListsAndStops(t *testing.T) {
	data := t.TempDir()
	binary := answering(map[abi.Operation]string{abi.Start: `{"id":"c1"}`}).Bytes()
	runtime := open(t, binary, Options{DataDir: data, Project: "shop"})
	ctx := context.Background()
	id, err := runtime.Start(ctx, sdk.Spec{Project: "shop", Resource: "db", Name: "shop.db", Image: "db:1"})
	if err != nil || id != "c1" {
		t.Fatalf("Start() = %q, %v", id, err)
	}
	if state, err := runtime.WaitHealthy(ctx, id, nil); err != nil || state.Status != sdk.StatusRunning {
		t.Errorf("WaitHealthy() = %+v, %v", state, err)
	}
	// Another program finds it again.
	again := open(t, binary, Options{DataDir: data, Project: "shop"})
	states, err := again.List(ctx, "shop")
	if err != nil || len(states) != 1 || states[0].Resource != "db" || states[0].ID != "c1" {
		t.Fatalf("List() = %+v, %v", states, err)
	}
	if err := again.Stop(ctx, id, time.Second); err != nil {
		t.Fatal(err)
	}
	if states, err := runtime.List(ctx, "shop"); err != nil || len(states) != 0 {
		t.Errorf("List() after Stop = %+v, %v", states, err)
	}
}

func TestExportsDecideAboutInterfaces(t *testing.T) {
	core := open(t, answering(nil).Bytes(), Options{})
	if _, ok := core.(sdk.Inspector); ok {
		t.Error("a plugin without ls_inspect is an Inspector")
	}
	if _, ok := core.(sdk.Lister); !ok {
		t.Error("what was started can't be listed")
	}
	more := open(t, answering(map[abi.Operation]string{abi.Inspect: "{}", abi.Events: "{}", abi.Prepared: "{}", abi.Prepare: "{}"}).Bytes(), Options{})
	_, inspects := more.(sdk.Inspector)
	_, watches := more.(sdk.Watcher)
	_, prepares := more.(sdk.Preparer)
	_, execs := more.(sdk.Execer)
	if !inspects || !watches || !prepares || execs {
		t.Errorf("inspects %t, watches %t, prepares %t, execs %t", inspects, watches, prepares, execs)
	}
}
