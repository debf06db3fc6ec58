// Package tig stands in for the one interface that nerdctl compiles in from
// its test helpers, a nested module that has no release.
package tig

// T is what nerdctl asks of a test.
type T interface {
	Helper()
	Log(args ...any)
	FailNow()
}
