// Command nerdctl is the built-in runtime plugins/nerdctl as a WASM module: the
// same package, with the plugin ABI instead of the operating system under it.
package main

import (
	"github.com/lightshuttle/lightshuttle/plugins/nerdctl"
	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/guest"
	_ "github.com/lightshuttle/lightshuttle/sdk/guest/can/env"
	_ "github.com/lightshuttle/lightshuttle/sdk/guest/can/events"
	_ "github.com/lightshuttle/lightshuttle/sdk/guest/can/exec"
	_ "github.com/lightshuttle/lightshuttle/sdk/guest/can/inspect"
	_ "github.com/lightshuttle/lightshuttle/sdk/guest/can/list"
	_ "github.com/lightshuttle/lightshuttle/sdk/guest/can/logs"
	_ "github.com/lightshuttle/lightshuttle/sdk/guest/can/network"
	_ "github.com/lightshuttle/lightshuttle/sdk/guest/can/ping"
	_ "github.com/lightshuttle/lightshuttle/sdk/guest/can/ports"
	_ "github.com/lightshuttle/lightshuttle/sdk/guest/can/prepare"
	_ "github.com/lightshuttle/lightshuttle/sdk/guest/can/remove"
	_ "github.com/lightshuttle/lightshuttle/sdk/guest/can/restart"
	_ "github.com/lightshuttle/lightshuttle/sdk/guest/can/validate"
	_ "github.com/lightshuttle/lightshuttle/sdk/guest/can/volume"
)

// config is what the user may set. The program itself is what they granted
// under the alias "nerdctl".
type config struct {
	// Dialect is "nerdctl", "podman", "finch" or "docker".
	Dialect string `json:"dialect"`
	// Namespace is containerd's.
	Namespace string `json:"namespace"`
	// Args go before every command.
	Args []string `json:"args"`
}

func init() {
	nerdctl.Warm()
	guest.ServeConfigured(func(_ string, c config) (sdk.Runtime, error) {
		if c.Dialect == "" {
			c.Dialect = "nerdctl"
		}
		return nerdctl.Open(nerdctl.Options{
			Program: "nerdctl", Dialect: c.Dialect, Namespace: c.Namespace, Global: c.Args, Host: guest.Host{}, TellAll: true,
		})
	})
}

func main() {}
