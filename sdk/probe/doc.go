// Package probe waits for readiness: one loop that every runtime and the
// program itself use, with the checks that need nothing but a runtime (a
// command inside the container, a line in its log).
//
// The loop probes early, probes often, then relaxes. An engine's own scheduler
// waits a whole interval before its first check; this one checks at once, so
// that a container is known to be ready when it is.
package probe
