// Package wasm runs container runtimes that third parties ship as WASM modules.
//
// A module is read and judged before it is compiled (package module), runs in a
// fresh instance for each operation, which begins where the module was initialised,
// and touches nothing but what it requested
// in its manifest and the user granted: programs and HTTP endpoints by their
// aliases, and a small store. Whatever it does, the operation ends a grace
// period after its deadline at the latest, and what went wrong is a [*Failure].
//
// [Open] returns an sdk.Runtime that has exactly the optional interfaces that
// the module's exports allow, beside those that the host can make up for.
package wasm
