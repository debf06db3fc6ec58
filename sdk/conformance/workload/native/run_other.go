//go:build !unix

package native

// Run runs the test program, which needs an operating system with signals.
func Run([]string) int { return 2 }
