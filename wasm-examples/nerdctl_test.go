//go:build conformance

package examples

import (
	"testing"

	"github.com/lightshuttle/lightshuttle/host/wasm"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
	"github.com/lightshuttle/lightshuttle/sdk/conformance"
)

// TestNerdctlPassesTheSuite runs it on nerdctl; the module is the same package as
// the built-in runtime, and its exclusions are that one's.
func TestNerdctlPassesTheSuite(t *testing.T) {
	t.Parallel()
	outside, pause := beside(t, "nerdctl")
	runtime := open(t, "nerdctl", wasm.Options{
		Grants: wasm.Grants{Exec: []wasm.ExecGrant{{Program: "nerdctl", Path: engines["nerdctl"], Env: []string{abi.AnyVariable}}}},
	})
	passes(t, "nerdctl.wasm on nerdctl", "nerdctl", runtime, conformance.Full, outside, pause, map[string]string{
		"inspect/image-id":    "nerdctl tells an image's name, but not its id",
		"inspect/label-empty": "nerdctl loses labels without a value",
		"logs/binary":         "nerdctl keeps logs as JSON text, in which it replaces bytes that aren't UTF-8",
		"spec/out-of-memory":  "nerdctl doesn't keep why a container was killed; the event tells it",
		"watch/since":         "containerd keeps no events",
		"restart/count":       "nerdctl counts no restarts, though there are",
		"watch/health":        "nerdctl 2.1.3 has no scheduler for healthchecks",
		"restart/stop":        "containerd's restart monitor may start again what is stopped while it looks around",
	})
}
