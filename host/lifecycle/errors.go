package lifecycle

import (
	"fmt"
	"os"
	"strings"
	"syscall"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Failure is why one resource didn't come up, with what is left to see of it.
type Failure struct {
	// Resource is empty when the failure isn't that of a resource, but of the
	// network, say.
	Resource string
	// Err is usually a [*sdk.Error]; its Output is that of the last check.
	Err error
	// ExitCode is nil unless the container ended.
	ExitCode *int
	// Logs are the last lines that the container printed.
	Logs []string
}

// Error gives the reason on one line, beginning with the resource.
func (f Failure) Error() string {
	text := f.Err.Error()
	if f.Resource == "" || strings.HasPrefix(text, f.Resource+": ") {
		return text
	}
	return f.Resource + ": " + text
}

// Unwrap returns Err.
func (f Failure) Unwrap() error { return f.Err }

// StartError says why a stack didn't start, and how its rollback went.
type StartError struct {
	// Failures holds the first cause first. It is empty when the start was
	// ended from outside.
	Failures []Failure
	// Interrupted is why the start was ended from outside, else nil.
	Interrupted error
	// Rollback is a [*StopError] when not everything could be removed.
	Rollback error
	// Kept says that nothing was rolled back, as it was asked for.
	Kept bool
}

// Error gives the first cause, and how many more there are.
func (e *StartError) Error() string {
	var text string
	switch {
	case e.Interrupted != nil:
		text = e.Interrupted.Error()
	case len(e.Failures) > 1:
		text = fmt.Sprintf("%v (and %d more)", e.Failures[0], len(e.Failures)-1)
	case len(e.Failures) == 1:
		text = e.Failures[0].Error()
	}
	if e.Rollback != nil {
		text += "; rollback: " + e.Rollback.Error()
	}
	return text
}

// Unwrap returns what interrupted the start, the failures and the error of the
// rollback.
func (e *StartError) Unwrap() []error {
	var all []error
	if e.Interrupted != nil {
		all = append(all, e.Interrupted)
	}
	for _, failure := range e.Failures {
		all = append(all, failure)
	}
	if e.Rollback != nil {
		all = append(all, e.Rollback)
	}
	return all
}

// StopError says what could not be stopped or removed.
type StopError struct {
	// Failures holds one entry for each container, network or volume.
	Failures []Failure
	// Remaining names the containers, networks and volumes that are still there
	// for all that is known.
	Remaining []string
}

// Error lists what remains, and why.
func (e *StopError) Error() string {
	texts := make([]string, len(e.Failures))
	for i, failure := range e.Failures {
		texts[i] = failure.Error()
	}
	text := strings.Join(texts, "; ")
	if len(e.Remaining) > 0 {
		text += "; may still be there: " + strings.Join(e.Remaining, ", ")
	}
	return text
}

// Unwrap returns the failures.
func (e *StopError) Unwrap() []error {
	all := make([]error, len(e.Failures))
	for i, failure := range e.Failures {
		all[i] = failure
	}
	return all
}

// InterruptedError says that a signal ended the start.
type InterruptedError struct{ Signal os.Signal }

// Error names the signal.
func (e *InterruptedError) Error() string {
	return fmt.Sprintf("interrupted by signal %q", e.Signal)
}

// ExitCode is that of a process which the signal ended: 128 plus its number.
func (e *InterruptedError) ExitCode() int {
	number, ok := e.Signal.(syscall.Signal)
	if !ok {
		return 1
	}
	return 128 + int(number)
}

// ExitedError says that the stack was stopped because a container ended, as it
// was asked for.
type ExitedError struct {
	Resource string
	ExitCode int
}

// Error names the resource and its exit code.
func (e *ExitedError) Error() string {
	return fmt.Sprintf("%s exited with code %d", e.Resource, e.ExitCode)
}

// DependencyError says that a resource was never started because a dependency
// failed.
type DependencyError struct {
	Dependency string
	// Err is why the dependency failed.
	Err error
}

// Error names the dependency and why it failed.
func (e *DependencyError) Error() string {
	return fmt.Sprintf("dependency `%s` failed: %s", e.Dependency, reason(e.Err))
}

// Unwrap returns why the dependency failed.
func (e *DependencyError) Unwrap() error { return e.Err }

// exitedError is the end of a container that should have gone on; when says at
// what point it ended.
func exitedError(how exit, when string) *sdk.Error {
	if how.away {
		when = " while the engine was away"
	}
	err := sdk.Errorf(sdk.CodeExited, "", "exited with code %d%s", how.code, when)
	if how.oom {
		err = sdk.Errorf(sdk.CodeExited, "", "was killed for lack of memory (exit code %d)%s", how.code, when)
		err.Hint = "raise limits.memory, or see why it needs so much"
	}
	err.ExitCode = how.code
	return err
}
