//go:build !unix

package wasm

import "io/fs"

// Where files have no owner in this sense, the folder is in the user's own.
func owned(fs.FileInfo) bool { return true }

func writableByOthers(fs.FileInfo) bool { return false }
