// Command recorder is a runtime that wraps another one: docker, podman or
// nerdctl, by its command line. Every operation is passed on, and written to the
// plugin's store: what was asked, what came back, how long it took. With replay
// in its configuration it answers from that record, and touches no engine.
//
// It is an example of a runtime around a runtime, and of the store.
package main

import (
	"cmp"

	"github.com/lightshuttle/lightshuttle/plugins/nerdctl"
	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/guest"
	_ "github.com/lightshuttle/lightshuttle/sdk/guest/can/inspect"
	_ "github.com/lightshuttle/lightshuttle/sdk/guest/can/list"
	_ "github.com/lightshuttle/lightshuttle/sdk/guest/can/logs"
	_ "github.com/lightshuttle/lightshuttle/sdk/guest/can/network"
	_ "github.com/lightshuttle/lightshuttle/sdk/guest/can/remove"
	_ "github.com/lightshuttle/lightshuttle/sdk/guest/can/validate"
)

// config is what the user may set.
type config struct {
	// Dialect is the engine's: "docker" (the default), "podman", "nerdctl" or
	// "finch". The program is what they granted under the alias "engine".
	Dialect string `json:"dialect"`
	// Replay answers from the record.
	Replay bool `json:"replay"`
}

func init() {
	guest.ServeConfigured(func(_ string, c config) (sdk.Runtime, error) {
		if c.Replay {
			return &recorder{record: record{guest.Store{}}, replay: true}, nil
		}
		inner, err := nerdctl.Open(nerdctl.Options{Program: "engine", Dialect: cmp.Or(c.Dialect, "docker"), Host: guest.Host{}})
		if err != nil {
			return nil, err
		}
		return &recorder{inner: inner, record: record{guest.Store{}}}, nil
	})
}

func main() {}
