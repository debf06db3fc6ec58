// Package examples tests the modules of this folder: on the host, and against
// real engines with the suite that every runtime passes.
package examples

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lightshuttle/lightshuttle/host/wasm"
	wasmmodule "github.com/lightshuttle/lightshuttle/host/wasm/module"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

var folder string

func TestMain(m *testing.M) {
	var err error
	if folder, err = os.MkdirTemp("", "wasm-examples"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(folder)
	if code == 0 {
		if err := goleak.Find(); err != nil {
			os.Stderr.WriteString(err.Error())
			code = 1
		}
	}
	os.Exit(code)
}

var (
	building sync.Mutex
	built    = map[string][]byte{}
)

// module builds an example as its author would, once.
func module(t *testing.T, name string) []byte {
	t.Helper()
	building.Lock()
	defer building.Unlock()
	if built[name] != nil {
		return built[name]
	}
	command := exec.CommandContext(t.Context(), "../scripts/wasm", name)
	command.Env = append(os.Environ(), "OUT="+folder)
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", name, err, output)
	}
	content, err := os.ReadFile(filepath.Join(folder, name+".wasm"))
	if err != nil {
		t.Fatal(err)
	}
	built[name] = content
	return content
}

func open(t *testing.T, name string, options wasm.Options) wasm.Runtime {
	t.Helper()
	if options.DataDir == "" {
		options.DataDir = t.TempDir()
	}
	options.Limits.Compile = 5 * time.Minute // a busy machine is no failure
	options.CacheDir = filepath.Join(folder, "cache")
	runtime, err := wasm.Open(t.Context(), module(t, name), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { runtime.Close() })
	return runtime
}

// Who imports what came later says so in its manifest: an older host then says that
// it is too old.
func TestManifestsNameTheVersionThatTheyNeed(t *testing.T) {
	for _, name := range []string{"minimal", "nerdctl", "engine-http", "recorder"} {
		report, err := wasmmodule.Inspect(module(t, name))
		if err != nil {
			t.Fatal(err)
		}
		later := slices.ContainsFunc(report.Imports, func(i wasmmodule.Import) bool { return i.Name == abi.LogForward })
		if later && report.Manifest.ABIMinor < 1 {
			t.Errorf("%s imports %s, and calls itself of ABI %d.%d", name, abi.LogForward, report.Manifest.ABI, report.Manifest.ABIMinor)
		}
	}
}
