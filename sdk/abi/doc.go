// Package abi is what a program that hosts runtimes as WASM modules and the
// modules themselves agree on, version 1: the names of exports and imports, the
// status codes, and the JSON documents that cross the border. It holds no
// machinery; host/wasm is one side, sdk/guest the other, and docs/abi.md the
// whole of it in prose.
//
// Exports are abilities, imports are needs. An operation is an export without
// parameters that returns a [Status]. It fetches its [Request] with input_read
// and leaves its result, or when it fails an [Error], with output_write. Host
// functions work the other way round: what they answer is fetched with
// result_read.
//
// One thing holds for all documents: unknown fields are ignored, and within one
// version fields are only added.
package abi
