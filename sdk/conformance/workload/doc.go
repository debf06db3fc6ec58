// Package workload is the test program of the conformance suite: what runs in
// the containers that the suite starts. Its arguments say how it behaves. It
// uses nothing of the machine but what its [World] gives, so that the same
// behaviours run as a program in a container, as a process, and inside of the
// fake runtime.
package workload
