// Command engine-http is a runtime for Docker and podman as a WASM module, which
// speaks the Docker Engine API through the HTTP capability. It is an example of
// a runtime that drives an engine by its API, and keeps to what a stack needs:
// it builds nothing and has no named volumes.
package main

import (
	"github.com/lightshuttle/lightshuttle/sdk/guest"
	_ "github.com/lightshuttle/lightshuttle/sdk/guest/can/events"
	_ "github.com/lightshuttle/lightshuttle/sdk/guest/can/exec"
	_ "github.com/lightshuttle/lightshuttle/sdk/guest/can/inspect"
	_ "github.com/lightshuttle/lightshuttle/sdk/guest/can/list"
	_ "github.com/lightshuttle/lightshuttle/sdk/guest/can/logs"
	_ "github.com/lightshuttle/lightshuttle/sdk/guest/can/network"
	_ "github.com/lightshuttle/lightshuttle/sdk/guest/can/ping"
	_ "github.com/lightshuttle/lightshuttle/sdk/guest/can/prepare"
	_ "github.com/lightshuttle/lightshuttle/sdk/guest/can/remove"
)

func init() {
	guest.Warm[seen]()
	guest.Serve(&engine{host: guest.Host{}})
}

func main() {}
