package trust

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lightshuttle/lightshuttle/host/wasm"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const sum = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func TestWhatIsTrustedIsThereAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "settings")
	list, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	plugin := Plugin{
		Name: "podman", WASM: "/x/podman.wasm", SHA256: sum, Limits: Limits{Memory: "32MiB", OpTimeout: "3m"},
		Grants: wasm.Grants{HTTP: []wasm.HTTPGrant{{Endpoint: "engine", Address: "unix:///run/x.sock"}}},
	}
	if err := list.Put(plugin); err != nil {
		t.Fatal(err)
	}
	again, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	got, ok := again.ByPath("/x/podman.wasm")
	if !ok || got.Grants.HTTP[0].Address != "unix:///run/x.sock" {
		t.Errorf("ByPath() = %+v, %t", got, ok)
	}
	if limits, err := got.Limits.Parse(); err != nil || limits.Memory != 32<<20 || limits.OpTimeout != 3*time.Minute {
		t.Errorf("limits = %+v, %v", limits, err)
	}
	info, err := os.Stat(again.Path())
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode = %v, %v", info.Mode(), err)
	}
}

func TestAListThatIsWrongIsRefusedAndKept(t *testing.T) {
	entry := "  - {name: a, wasm: /x/1.wasm, sha256: " + sum
	for name, test := range map[string]struct{ content, want string }{
		"two of one name": {"plugins:\n" + entry + "}\n" + strings.Replace(entry, "1", "2", 1) + "}\n", "two plugins have the name"},
		"no checksum":     {"plugins: [{name: a, wasm: /x/1.wasm}]", "its sha256"},
		"relative path":   {"plugins: [{name: a, wasm: 1.wasm, sha256: " + sum + "}]", "absolute path"},
		"unknown key":     {"plugins: [{nam: a}]", "nam"},
		"a wrong size":    {"plugins:\n" + entry + ", limits: {memory: lots}}\n", "limits.memory"},
		"a wrong time":    {"plugins:\n" + entry + ", limits: {grace: 5}}\n", "limits.grace"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), FileName)
			if err := os.WriteFile(path, []byte(test.content), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := Load(filepath.Dir(path)); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Load() = %v, want %q", err, test.want)
			}
			if kept, _ := os.ReadFile(path); string(kept) != test.content {
				t.Error("the file was changed")
			}
		})
	}
}
