package host

import (
	"bytes"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/lightshuttle/lightshuttle/config"
	"github.com/lightshuttle/lightshuttle/host/mixed"
	"github.com/lightshuttle/lightshuttle/plugins/process"
	"github.com/lightshuttle/lightshuttle/sdk"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bare is a machine without any engine, and settings for it.
func bare(t *testing.T, runtime string) *config.Settings {
	t.Helper()
	t.Setenv("PATH", t.TempDir())
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	t.Setenv("DOCKER_HOST", "unix://"+filepath.Join(t.TempDir(), "none.sock"))
	settings, _, err := config.Load(config.Sources{Flags: map[string]string{"runtime": runtime}})
	if err != nil {
		t.Fatal(err)
	}
	return settings
}

func TestOpenTakesWhatTheProjectNeeds(t *testing.T) {
	tests := []struct {
		name, runtime string
		needs         []string
		want          func(Runtime) bool
	}{
		{"only processes, and the engine isn't asked for", "docker", []string{"process"}, isProcess},
		{"the same with auto", Auto, []string{"process"}, isProcess},
		{"only containers", "docker", []string{""}, func(r Runtime) bool { return !isProcess(r) && !isMixed(r) }},
		{"both", "docker", []string{"", "process"}, isMixed},
		{"two engines, by name", "docker", []string{"docker", "podman"}, isMixed},
		{"the setting itself", "process", []string{"process"}, isProcess},
		{"nothing is known", "docker", nil, func(r Runtime) bool { return !isProcess(r) && !isMixed(r) }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r, err := Open(t.Context(), bare(t, test.runtime), Project{Name: "shop", Runtimes: test.needs}, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			if !test.want(r) {
				t.Errorf("Open() = %T", r)
			}
		})
	}
}

func isProcess(r Runtime) bool { _, ok := r.(*process.Runtime); return ok }

func isMixed(r Runtime) bool { _, ok := r.(*mixed.Runtime); return ok }

func TestOpenRefuses(t *testing.T) {
	tests := []struct {
		runtime string
		needs   []string
		code    sdk.Code
		want    string
	}{
		{"dokcer", []string{""}, sdk.CodeInvalid, "dokcer"},
		{"docker", []string{"", "nope"}, sdk.CodeInvalid, "nope"},
		{Auto, []string{""}, sdk.CodeUnavailable, "no engine of containers answers"},
	}
	for _, test := range tests {
		_, err := Open(t.Context(), bare(t, test.runtime), Project{Name: "shop", Runtimes: test.needs}, slog.New(slog.DiscardHandler))
		if !sdk.IsCode(err, test.code) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("Open(%s, %v) = %v, want %s", test.runtime, test.needs, err, test.code)
		}
	}
}

func TestAutoSaysWhatItChose(t *testing.T) {
	var said bytes.Buffer
	r, err := Open(t.Context(), bare(t, Auto), Project{Name: "shop", Runtimes: []string{"process"}}, slog.New(slog.NewTextHandler(&said, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if !strings.Contains(said.String(), "chose the runtime process") {
		t.Errorf("it said %q", said.String())
	}
}
