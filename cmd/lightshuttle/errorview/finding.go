package errorview

import (
	"errors"
	"strings"

	"github.com/lightshuttle/lightshuttle/host/lifecycle"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// finding is one thing to tell.
type finding struct {
	headline string
	// hint, output and logs may be empty.
	hint   string
	output string
	logs   string
}

// findings returns what there is to tell about err, each thing once: those of a
// stack that didn't start or stop, and those that were joined, one by one.
func findings(err error) []finding {
	parts, ok := split(err)
	if !ok {
		return []finding{findingOf(err)}
	}
	var all []finding
	for _, part := range parts {
		for _, f := range findings(part.err) {
			f.headline = part.prefix + f.headline
			all = append(all, f)
		}
	}
	return all
}

// part is one of several errors in one.
type part struct {
	prefix string
	err    error
}

// split takes err apart, if it stands for several errors.
func split(err error) ([]part, bool) {
	switch e := err.(type) { //nolint:errorlint // it walks the tree itself
	case *sdk.Error:
		return nil, false
	case *lifecycle.StartError:
		parts := partsOfStart(e)
		return parts, len(parts) > 0
	case *lifecycle.StopError:
		parts := partsOfStop(e)
		return parts, len(parts) > 0
	case interface{ Unwrap() []error }:
		return partsOfJoin(err, e.Unwrap())
	case interface{ Unwrap() error }:
		return partsBehind(err, e.Unwrap())
	default:
		return nil, false
	}
}

func partsOfStart(e *lifecycle.StartError) []part {
	var parts []part
	if e.Interrupted != nil {
		parts = append(parts, part{err: e.Interrupted})
	}
	for _, failure := range e.Failures {
		parts = append(parts, part{err: failure})
	}
	if e.Rollback != nil {
		parts = append(parts, part{prefix: "rollback: ", err: e.Rollback})
	}
	return parts
}

func partsOfStop(e *lifecycle.StopError) []part {
	var parts []part
	for _, failure := range e.Failures {
		parts = append(parts, part{err: failure})
	}
	if len(e.Remaining) > 0 {
		remaining := sdk.Errorf(sdk.CodeInternal, "", "may still be there: %s", strings.Join(e.Remaining, ", "))
		remaining.Hint = "`lightshuttle down` removes what is left"
		parts = append(parts, part{err: remaining})
	}
	return parts
}

// partsOfJoin returns the children if the parent says nothing but them, as that
// of errors.Join does. That of fmt.Errorf with two %w is one sentence.
func partsOfJoin(parent error, children []error) ([]part, bool) {
	texts := make([]string, len(children))
	parts := make([]part, len(children))
	for i, child := range children {
		texts[i] = child.Error()
		parts[i] = part{err: child}
	}
	return parts, len(parts) > 0 && parent.Error() == strings.Join(texts, "\n")
}

// partsBehind returns the parts of what outer wraps, each with the words that
// outer put before it.
func partsBehind(outer, inner error) ([]part, bool) {
	if inner == nil {
		return nil, false
	}
	prefix, ok := strings.CutSuffix(outer.Error(), inner.Error())
	if !ok {
		return nil, false
	}
	parts, ok := split(inner)
	for i := range parts {
		parts[i].prefix = prefix + parts[i].prefix
	}
	return parts, ok
}

// findingOf collects what is known about a single error. Of several in its
// chain, the outermost that has a hint gives it, and so on.
func findingOf(err error) finding {
	f := finding{headline: err.Error()}
	walk(err, func(err error) {
		switch e := err.(type) { //nolint:errorlint // it walks the tree itself
		case *sdk.Error:
			f.hint = firstOf(f.hint, e.Hint)
			f.output = firstOf(f.output, e.Output)
		case lifecycle.Failure:
			f.logs = firstOf(f.logs, strings.Join(e.Logs, "\n"))
		}
	})
	return f
}

// walk visits err and everything that it wraps, the outermost first.
func walk(err error, visit func(error)) {
	if err == nil {
		return
	}
	visit(err)
	if e, ok := err.(interface{ Unwrap() []error }); ok {
		for _, child := range e.Unwrap() {
			walk(child, visit)
		}
		return
	}
	walk(errors.Unwrap(err), visit)
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
