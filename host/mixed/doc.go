// Package mixed makes one runtime of several, for a stack whose resources run on
// different ones. Each resource is started by the one that its spec names; what
// is listed and heard of all of them is one. The scheduler knows nothing of it.
package mixed
