// Package hostcall holds the functions that the host offers to a WASM module,
// as they are: bytes in, numbers out (docs/abi.md says what they mean). It
// imports nothing of note, for modules that have to be small; package guest
// makes an sdk.Host of it.
//
// The linker keeps only what is called, so that a module's import section says
// what it needs. A call that waits stops every goroutine of the module. Outside
// of WASM all functions fail.
package hostcall
