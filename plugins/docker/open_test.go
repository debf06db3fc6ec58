package docker

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/docker/cli/cli/config"
	"github.com/docker/docker/client"

	"github.com/lightshuttle/lightshuttle/sdk"
)

func discardLog() *log.Logger { return log.New(io.Discard, "", 0) }

// configure makes a docker configuration with a context "far" at tcp://far:1,
// and "bad" that lacks its endpoint.
func configure(t *testing.T, current string) {
	t.Helper()
	folder := t.TempDir()
	must(t, os.WriteFile(filepath.Join(folder, "config.json"), fmt.Appendf(nil, `{"currentContext":%q}`, current), 0o600))
	for name, endpoints := range map[string]string{"far": `{"docker":{"Host":"tcp://far:1","SkipTLSVerify":false}}`, "bad": `{}`} {
		digest := sha256.Sum256([]byte(name))
		meta := filepath.Join(folder, "contexts", "meta", hex.EncodeToString(digest[:]))
		must(t, os.MkdirAll(meta, 0o755))
		must(t, os.WriteFile(filepath.Join(meta, "meta.json"), fmt.Appendf(nil, `{"Name":%q,"Metadata":{},"Endpoints":%s}`, name, endpoints), 0o600))
	}
	before := config.Dir()
	config.SetDir(folder)
	t.Cleanup(func() { config.SetDir(before) })
}

func TestWhichEngine(t *testing.T) {
	for name, test := range map[string]struct {
		options        Options
		host, context  string
		current        string
		address, error string
	}{
		"nothing said":              {address: client.DefaultDockerHost},
		"DOCKER_HOST":               {host: "tcp://a:1", current: "far", address: "tcp://a:1"},
		"DOCKER_CONTEXT":            {context: "far", address: "tcp://far:1"},
		"DOCKER_HOST goes first":    {host: "tcp://a:1", context: "far", address: "tcp://a:1"},
		"the chosen context":        {current: "far", address: "tcp://far:1"},
		"back to the default":       {context: "default", current: "far", address: client.DefaultDockerHost},
		"the options' host":         {options: Options{Host: "tcp://b:1"}, host: "tcp://a:1", address: "tcp://b:1"},
		"the options' context":      {options: Options{Context: "far"}, host: "tcp://a:1", address: "tcp://far:1"},
		"ssh":                       {host: "ssh://somebody@a", address: "ssh://somebody@a"},
		"an unknown context":        {context: "none", error: "none"},
		"a context without address": {context: "bad", error: "bad"},
		"not an address":            {host: "somewhere", error: "somewhere"},
		"ssh without a host":        {host: "ssh://", error: "ssh"},
	} {
		t.Run(name, func(t *testing.T) {
			configure(t, test.current)
			t.Setenv("DOCKER_HOST", test.host)
			t.Setenv("DOCKER_CONTEXT", test.context)
			r, err := Open(test.options)
			if test.error != "" {
				wantError(t, err, sdk.CodeInvalid, test.error)
				return
			}
			must(t, err)
			defer r.Close()
			if r.address != test.address {
				t.Errorf("address %s", r.address)
			}
		})
	}
}

func TestBadCertificates(t *testing.T) {
	t.Setenv("DOCKER_CERT_PATH", t.TempDir())
	t.Setenv("DOCKER_TLS_VERIFY", "1")
	_, err := Open(Options{Host: "tcp://a:1"})
	wantError(t, err, sdk.CodeInvalid, "DOCKER_CERT_PATH")
}

func TestIsLocal(t *testing.T) {
	for address, want := range map[string]bool{
		"unix:///x": true, "npipe:////./pipe/x": true, "tcp://127.0.0.1:1": true, "tcp://localhost:1": true, "tcp://[::1]:1": true,
		"tcp://far:1": false, "ssh://localhost": false, "%": false,
	} {
		if isLocal(address) != want {
			t.Errorf("%s: %t", address, !want)
		}
	}
}

func TestPing(t *testing.T) {
	r := engine(t)
	info, err := r.Ping(t.Context())
	must(t, err)
	if info.Name != "docker" || info.Version == "" || info.APIVersion == "" || info.Address == "" || info.OS != "linux" || info.Arch == "" {
		t.Errorf("info %+v", info)
	}
}

func TestNegotiation(t *testing.T) {
	for engineVersion, want := range map[string]string{"1.24": "1.24", "1.41": "1.41", "1.51": "1.51", "1.99": "1.51"} {
		var pings atomic.Int32
		asked := make(chan string, 100)
		fake, r := newFake(t, engineVersion, nil)
		inner := fake.Config.Handler
		fake.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/_ping" {
				pings.Add(1)
			} else {
				asked <- r.URL.Path
			}
			inner.ServeHTTP(w, r)
		})
		for range 5 {
			_, err := r.Inspect(t.Context(), "x")
			wantError(t, err, sdk.CodeNotFound)
			if path := <-asked; path != "/v"+want+"/containers/x/json" {
				t.Errorf("asked %s", path)
			}
		}
		if pings.Load() != 1 {
			t.Errorf("%d pings", pings.Load())
		}
	}
}
