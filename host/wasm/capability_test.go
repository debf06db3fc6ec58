package wasm

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/lightshuttle/lightshuttle/host/wasm/wasmtest"
	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

// Cancellation is told once; what is called after it works, so that a module can
// tidy up.
func TestAPluginMayTidyUpAfterItsEndWasCalledFor(t *testing.T) {
	dir := t.TempDir()
	request := fmt.Sprintf(`{"program":"sh","args":["-c","echo tidy > %s/done"]}`, dir)
	m := wasmtest.New("tidy", abi.Requests{Exec: []abi.ExecAccess{{Program: "sh"}}})
	wait, run := m.Import(abi.ModuleCore, abi.Sleep), m.Import(abi.ModuleExec, abi.ExecRun)
	m.Data(1024, []byte(request))
	m.Core(map[abi.Operation]wasmtest.Code{abi.Start: wasmtest.Join(
		wasmtest.Const64(1<<60), wasmtest.Call(wait), wasmtest.Set(0),
		wasmtest.Const(1024), wasmtest.Const(int32(len(request))), wasmtest.Const(0), wasmtest.Const(0), wasmtest.Call(run), wasmtest.Drop, wasmtest.Get(0))})
	r := open(t, m.Bytes(), Options{Limits: Limits{Grace: 20 * time.Second}, Grants: Grants{Exec: []ExecGrant{{Program: "sh", Path: "/bin/sh"}}}})
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(50*time.Millisecond, cancel)
	if err := startOne(ctx, r); !sdk.IsCode(err, sdk.CodeCancelled) {
		t.Errorf("error = %v, want cancelled", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "done")); err != nil {
		t.Error("the plugin couldn't tidy up:", err)
	}
}

// A program that must not be cut off outlives the end of its operation's time,
// but not the operation.
func TestAProgramMayOutliveTheEndOfTheTime(t *testing.T) {
	for script, want := range map[string]bool{"sleep 0.5; echo > %s": true, "sleep 600; echo > %s": false} {
		done := filepath.Join(t.TempDir(), "done")
		request := fmt.Sprintf(`{"program":"sh","args":["-c",%q],"outlives":true}`, fmt.Sprintf(script, done))
		m := wasmtest.New("patient", abi.Requests{Exec: []abi.ExecAccess{{Program: "sh"}}})
		spawn, wait, pause := m.Import(abi.ModuleExec, abi.ExecSpawn), m.Import(abi.ModuleExec, abi.ExecWait), m.Import(abi.ModuleCore, abi.Sleep)
		m.Data(1024, []byte(request))
		m.Core(map[abi.Operation]wasmtest.Code{abi.Start: wasmtest.Join(
			wasmtest.Const(1024), wasmtest.Const(int32(len(request))), wasmtest.Const(0), wasmtest.Const(0), wasmtest.Call(spawn), wasmtest.Drop,
			wasmtest.Const64(1<<60), wasmtest.Call(pause), wasmtest.Set(0),
			wasmtest.Const(3), wasmtest.Call(wait), wasmtest.Drop, wasmtest.Get(0))})
		grace := 20 * time.Second
		if !want {
			grace = 100 * time.Millisecond
		}
		r := open(t, m.Bytes(), Options{Limits: Limits{Grace: grace}, Grants: Grants{Exec: []ExecGrant{{Program: "sh", Path: "/bin/sh"}}}})
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(50*time.Millisecond, cancel)
		if err := startOne(ctx, r); !sdk.IsCode(err, sdk.CodeCancelled) {
			t.Errorf("%s: error = %v, want cancelled", script, err)
		}
		if _, err := os.Stat(done); (err == nil) != want {
			t.Errorf("%s: it has ended on its own: %t, want %t", script, err == nil, want)
		}
	}
}

// Old versions of the engine leave nothing behind.
func TestTheCacheIsTidiedUp(t *testing.T) {
	dir := t.TempDir()
	old := filepath.Join(dir, "wazero-v0.0.1", "x")
	if err := os.MkdirAll(old, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	open(t, answering(nil).Bytes(), Options{CacheDir: dir})
	if _, err := os.Stat(old); !os.IsNotExist(err) {
		t.Errorf("Stat() = %v, want that it is gone", err)
	}
	prune(filepath.Join(dir, engineVersion), "", 0)
	if entries, _ := os.ReadDir(filepath.Join(dir, engineVersion)); len(entries) != 0 {
		t.Errorf("%d modules are left", len(entries))
	}
}
