// Package machine is the operating system as an [sdk.Host]: what a runtime that
// is compiled into the program may use of it. Programs run in process groups of
// their own, without a shell and with a small environment, and end with their
// context.
package machine
