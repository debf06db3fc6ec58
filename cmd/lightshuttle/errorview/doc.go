// Package errorview shows errors to people. It is the only place that does, so
// that all of them look the same and none lets a container write to the
// terminal.
package errorview
