// Package host opens the runtime that the settings name.
package host
