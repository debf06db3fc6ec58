//go:build conformance

package examples

import (
	"cmp"
	"os"
	"testing"

	"github.com/lightshuttle/lightshuttle/host/wasm"
	"github.com/lightshuttle/lightshuttle/sdk/conformance"
)

func TestEngineHTTPPassesTheSuite(t *testing.T) {
	t.Parallel()
	outside, pause := beside(t, "docker")
	runtime := open(t, "engine-http", wasm.Options{
		Grants: wasm.Grants{HTTP: []wasm.HTTPGrant{{Endpoint: "engine", Address: "unix:///var/run/docker.sock"}}},
	})
	passes(t, "engine-http.wasm on docker", "docker", runtime, conformance.Managed, outside, pause, map[string]string{
		"logs/binary": "the engine keeps logs as JSON text, in which it replaces bytes that aren't UTF-8",
	})
}

func TestEngineHTTPPassesTheSuiteOnPodman(t *testing.T) {
	t.Parallel()
	outside, pause := beside(t, "podman")
	socket := cmp.Or(os.Getenv("LIGHTSHUTTLE_TEST_PODMAN_SOCKET"), "unix:///var/lib/lightshuttle-engines/podman/podman.sock")
	runtime := open(t, "engine-http", wasm.Options{
		Grants: wasm.Grants{HTTP: []wasm.HTTPGrant{{Endpoint: "engine", Address: socket}}},
	})
	passes(t, "engine-http.wasm on podman", "podman", runtime, conformance.Managed, outside, pause, map[string]string{
		"logs/much-followed": "podman 4.3.1 itself loses lines of a followed log that grows fast",
	})
}
