// Package exitcode is the table of the exit codes of the program, and the one
// place where an error becomes one of them.
package exitcode
