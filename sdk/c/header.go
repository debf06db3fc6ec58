// Package c holds the header for runtimes that are written in C.
package c

import _ "embed"

// Header is lightshuttle.h.
//
//go:embed lightshuttle.h
var Header []byte
