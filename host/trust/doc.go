// Package trust keeps which plugins the user trusts, and with what: for each the
// checksum of its file and what it is granted.
//
// It is a file of its own beside the user's settings, written by `lightshuttle
// plugin trust`, and never one of a project: who gets a project from somebody
// must not grant anything with it.
package trust
