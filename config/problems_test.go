package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestProblems keeps what people get to read: one case for each file of
// testdata/problems.
func TestProblems(t *testing.T) {
	inputs, err := filepath.Glob("testdata/problems/*.yaml")
	if err != nil || len(inputs) == 0 {
		t.Fatalf("no inputs: %v", err)
	}
	for _, input := range inputs {
		name := strings.TrimSuffix(filepath.Base(input), ".yaml")
		t.Run(name, func(t *testing.T) {
			settings, _, err := Load(Sources{ConfigFile: input})
			if err == nil || settings != nil {
				t.Fatalf("Load() = %v, %v; want an error", settings, err)
			}
			golden(t, "problems/"+name+".golden", filepath.ToSlash(err.Error())+"\n")
		})
	}
}

func TestProblemsOfAllSourcesAreReportedAtOnce(t *testing.T) {
	dir := t.TempDir()
	user := UserFile(dir)
	write(t, user, "grace: ten\n")
	_, warnings, err := Load(Sources{
		UserDir:    dir,
		ConfigFile: filepath.Join(dir, "missing.yaml"),
		Environ:    []string{"LIGHTSHUTTLE_PARALLEL=many", "LIGHTSHUTTLE_LOGLEVEL=debug", "LIGHTSHUTTLE_LOG_LEVEL=INFO", "HOME=/home/me"},
		Flags:      map[string]string{"grace": "10", "runtime": "", "nosuch": "1"},
	})
	e, ok := errors.AsType[*Error](err)
	if !ok {
		t.Fatalf("Load() error = %v, want an *Error", err)
	}
	if !errors.Is(e, fs.ErrNotExist) {
		t.Error("the missing file isn't found by errors.Is")
	}
	var out strings.Builder
	fmt.Fprintln(&out, e)
	for _, w := range warnings {
		fmt.Fprintln(&out, "warning:", w)
	}
	golden(t, "all-sources.golden", filepath.ToSlash(strings.ReplaceAll(out.String(), dir, "DIR")))
}

func TestUnknownVariables(t *testing.T) {
	tests := []struct{ name, want string }{
		{"LIGHTSHUTTLE_LOG", "LIGHTSHUTTLE_LOG_LEVEL"},
		{"LIGHTSHUTTLE_LOGLEVEL", "LIGHTSHUTTLE_LOG_LEVEL"},
		{"LIGHTSHUTTLE_TIMEOUT_START", "LIGHTSHUTTLE_TIMEOUTS_START"},
		{"LIGHTSHUTTLE_RUNTIMES_DOCKER_HOTS", "LIGHTSHUTTLE_RUNTIMES_DOCKER_HOST"},
		{"LIGHTSHUTTLE_SOMETHING_ELSE", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, warnings, err := Load(Sources{Environ: []string{test.name + "=x", "LIGHTSHUTTLE_TEST_ENGINE=y", "OTHER=z"}})
			if err != nil || len(warnings) != 1 {
				t.Fatalf("Load() warnings = %v, error = %v; want one warning", warnings, err)
			}
			if got := warnings[0]; got.Suggestion != test.want || got.Origin.Name != test.name {
				t.Errorf("warning = %+v, want the suggestion %q", got, test.want)
			}
		})
	}
}

func TestEmptyVariableIsNotSet(t *testing.T) {
	settings, _, err := Load(Sources{Environ: []string{"LIGHTSHUTTLE_GRACE="}})
	if err != nil || settings.Entries()[5].Origin.Source != SourceDefault {
		t.Errorf("Load() = %+v, %v", settings, err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
