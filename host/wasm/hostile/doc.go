// Package hostile attacks package wasm with modules that no honest author would
// make, each built from bytes. An attack has to end with an error of its class,
// within its deadline, in bounded memory, and without holding up the rest of the
// program; and the host has to work on afterwards.
//
// The package's test asserts all of this but the times, which a busy machine
// decides, too: those are figures of bench/.
package hostile
