//go:build !unix

package process

import (
	"errors"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Runtime isn't there on this system.
type Runtime struct {
	sdk.Runtime
}

var errSystem = errors.New("processes need process groups and Unix signals, which this system doesn't have")

// Open fails: this system can't do it.
func Open(Options) (*Runtime, error) {
	return nil, &sdk.Error{Code: sdk.CodeUnsupported, Op: "open", Err: errSystem, Hint: "use a runtime of containers"}
}

// Close does nothing.
func (r *Runtime) Close() error { return nil }

// Known says that there is nothing of any project.
func (r *Runtime) Known(string) bool { return false }

// Supervise fails as Open does.
func Supervise(string) error { return errSystem }
