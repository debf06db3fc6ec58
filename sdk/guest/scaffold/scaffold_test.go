package scaffold

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/guest/pack"
)

// A new project builds with nothing but make, and is a module with a manifest.
func TestWhatIsWrittenBuilds(t *testing.T) {
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, language := range Languages {
		t.Run(language, func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), "mine")
			files, err := Write(Options{Folder: folder, Name: "mine", Language: language, Replace: root})
			if err != nil || len(files) < 3 {
				t.Fatalf("Write = %v, %v", files, err)
			}
			command := exec.CommandContext(t.Context(), "make")
			command.Dir = folder
			command.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off")
			if output, err := command.CombinedOutput(); err != nil {
				t.Fatalf("make: %v\n%s", err, output)
			}
			module, err := os.ReadFile(filepath.Join(folder, "mine.wasm"))
			if err != nil {
				t.Fatal(err)
			}
			if stripped, err := pack.Strip(module); err != nil || len(stripped) >= len(module) {
				t.Errorf("the module has no manifest (%v)", err)
			}
		})
	}
}

func TestWriteRefuses(t *testing.T) {
	tests := []struct {
		name    string
		options Options
		code    sdk.Code
	}{
		{"a path as name", Options{Name: "../x", Language: "go"}, sdk.CodeInvalid},
		{"an unknown language", Options{Name: "mine", Language: "rust"}, sdk.CodeInvalid},
		{"a folder that is there", Options{Name: "mine", Language: "c"}, sdk.CodeConflict},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.options.Folder = t.TempDir()
			if _, err := Write(test.options); !sdk.IsCode(err, test.code) {
				t.Errorf("error = %v, want %s", err, test.code)
			}
			if left, err := os.ReadDir(test.options.Folder); err != nil || len(left) > 0 {
				t.Errorf("it wrote %v, %v", left, err)
			}
		})
	}
}
