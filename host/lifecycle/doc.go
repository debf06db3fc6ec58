// Package lifecycle is the scheduler: it executes a plan on a runtime, owns the
// state of every resource, and emits an event for each change of it.
//
// A [Manager] starts a stack in dependency order, as wide as the graph allows,
// fails as a whole at the first failure and rolls back what it created,
// watches what it started, and stops it in reverse order. Its rules are
// numbered L1 to L20 in docs/lifecycle.md; tests name the rule that they prove.
//
// Inside, one goroutine (the owner) has all the state. Work that takes time runs
// in goroutines of its own, which post what came of it to the owner's inbox.
// So there is no lock, and no order of events that some interleaving could
// break.
package lifecycle
