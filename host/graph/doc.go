// Package graph is the dependency graph of a stack: what waits for what, in
// which order, and which part of it a few names need. It is pure.
package graph
