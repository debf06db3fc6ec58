// Package config holds the settings of the program: which runtime, which
// timeouts, how to log. It is the one place that knows where settings are read
// from, which of several sources wins, and where each value came from.
package config
