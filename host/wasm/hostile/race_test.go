//go:build race

package hostile

// raceFactor: the race detector keeps what it knows of memory in memory. An
// endless recursion grows by 400 MiB with it, and by 140 without.
const raceFactor = 2
