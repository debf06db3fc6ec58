package nerdctl

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
)

// pullables offers images of the test program from a registry in this process.
// The engine has their layers, but not the images. Each is another image: podman
// loses one of two names that an image gets at the same moment.
func pullables(t *testing.T, s *stage) func(context.Context) (string, func(), error) {
	t.Helper()
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	host := strings.TrimPrefix(server.URL, "http://")
	// nerdctl has it in its settings that registries on this machine may speak
	// HTTP; podman is told which.
	settings := filepath.Join(t.TempDir(), "registries.conf")
	must(t, os.WriteFile(settings, fmt.Appendf(nil, "[[registry]]\nlocation = %q\ninsecure = true\n", host), 0o600))
	t.Setenv("CONTAINERS_REGISTRIES_CONF", settings)
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte("FROM "+workload+"\n"), 0o600))
	var offered atomic.Int64
	return func(ctx context.Context) (string, func(), error) {
		name := fmt.Sprintf("%s/%s/tiny:%d", host, s.project, offered.Add(1))
		for _, args := range [][]string{{"build", "--label", "offered=" + name, "--tag", name, dir}, {"push", name}, {"rmi", name}} {
			if _, err := s.run(ctx, call{op: "outside", args: args}); err != nil {
				return "", nil, err
			}
		}
		remove := func() {
			_, _ = s.run(context.WithoutCancel(ctx), call{op: "outside", args: []string{"rmi", "--force", name}}) // it may not have been pulled
		}
		return name, remove, nil
	}
}
