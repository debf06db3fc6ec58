// Package native runs the test program of package workload as a process of the
// operating system.
package native
