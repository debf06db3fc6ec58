package nerdctl

import (
	"bytes"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// While an engine builds with a secret, no process on this machine has it among its
// arguments.
func TestASecretOfABuildIsInNoProcessListing(t *testing.T) {
	onEngines(t, func(t *testing.T, s *stage) {
		dir, secret := t.TempDir(), rand.Text()
		file := filepath.Join(dir, "Dockerfile")
		must(t, os.WriteFile(file, []byte("FROM busybox:1.36\nARG TOKEN\nRUN test -n \"$TOKEN\" && echo it builds && sleep 2\n"), 0o600))
		looked := false
		must(t, s.Prepare(t.Context(), sdk.Spec{
			Project: s.project, Resource: "built", Image: s.project + ":1",
			Build: &sdk.Build{
				Context: dir, Dockerfile: file, Args: map[string]string{"TOKEN": secret}, SecretArgs: []string{"TOKEN"},
				Labels: map[string]string{sdk.LabelProject: s.project},
			},
		}, func(progress sdk.Progress) {
			if looked || progress.Status != "it builds" {
				return
			}
			looked = true
			all := commandLines(t)
			if !strings.Contains(all, dir) {
				t.Error("the build itself is in no process listing")
			}
			if strings.Contains(all, secret) {
				t.Error("the secret is in the process listing")
			}
		}))
		if !looked {
			t.Error("the build didn't say when it had begun")
		}
		_, err := s.run(t.Context(), call{op: "rmi", args: []string{"rmi", "--force", s.project + ":1"}})
		must(t, err)
	}, "podman", "docker")
}

// commandLines are those of all processes of this machine.
func commandLines(t *testing.T) string {
	t.Helper()
	paths, err := filepath.Glob("/proc/[0-9]*/cmdline")
	must(t, err)
	var all bytes.Buffer
	for _, path := range paths {
		if data, err := os.ReadFile(path); err == nil { // else it has ended
			all.Write(append(data, '\n'))
		}
	}
	return all.String()
}
