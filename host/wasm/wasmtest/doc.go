// Package wasmtest builds WASM modules out of Go, for tests: good plugins, and
// every kind of bad one that no compiler would make.
package wasmtest
