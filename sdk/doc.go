// Package sdk is the contract between LightShuttle and a container runtime.
//
// A runtime is anything that implements [Runtime]: start a container, stop it,
// wait until it is healthy. Everything else a runtime may be able to do is an
// optional interface ([Inspector], [Lister], [Watcher], …) that the program
// discovers with a type assertion, as io.Copy discovers io.ReaderFrom.
//
// The package depends on the standard library alone and builds for wasip1, so
// that a runtime compiled into the program and one shipped as a WASM module
// share every type in it. The JSON form of each type is part of the contract:
// fields in snake_case, durations in whole milliseconds (see [Duration]),
// unknown fields ignored, and only additions within one version.
package sdk
