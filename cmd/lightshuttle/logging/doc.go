// Package logging sets up the log of the program, which always goes to stderr:
// stdout is for results.
package logging
