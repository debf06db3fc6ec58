// Package guest makes a WASM module of an sdk.Runtime.
//
//	func init() { guest.Serve(&runtime{host: guest.Host{}}) }
//	func main() {}
//
// The module's exports say what it can do without running it, and Go's exports
// are fixed when it is linked. So each ability beyond start, stop and wait is a
// package to import, named after what it lets the module do:
//
//	import (
//		_ "github.com/lightshuttle/lightshuttle/sdk/guest/can/inspect"
//		_ "github.com/lightshuttle/lightshuttle/sdk/guest/can/logs"
//	)
//
// Built with
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -trimpath -ldflags='-s -w' -o NAME.wasm .
//
// the module still lacks its manifest, which sdk/guest/cmd/pack puts in.
//
// [Host] is the sdk.Host of a module. A module runs on one thread, which a call
// of the host stops; so everything that may wait long goes through one poll
// (see loop), and goroutines, timers and contexts work as they do elsewhere,
// timers to about 20 ms. An HTTP request is the exception: all waits until its
// headers are there.
package guest
