// Package docs is the documentation. Parts of it are generated from what the
// program itself knows, so that they can't say anything else; its tests check
// that they are in step, and run what the pages show.
package docs

//go:generate go run ./generate
