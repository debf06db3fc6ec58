package config

import (
	"fmt"
	"strconv"
	"strings"
)

// Problem is one thing that is wrong in one source.
type Problem struct {
	Origin Origin
	// Message says what is wrong and what is expected.
	Message string
	// Suggestion is what was probably meant, ready to follow "did you mean";
	// may be empty.
	Suggestion string
	// Err is the cause, if it is one of the operating system's.
	Err error
}

// Error gives the problem on one line, beginning with its place.
func (p *Problem) Error() string {
	text := p.Origin.String() + ": " + p.Message
	if p.Suggestion != "" {
		text += fmt.Sprintf(" (did you mean %s?)", p.Suggestion)
	}
	return text
}

// Unwrap returns Err.
func (p *Problem) Unwrap() error { return p.Err }

// Error is everything that is wrong with the settings, the weakest source
// first.
type Error struct{ Problems []*Problem }

// Error gives one problem on each line.
func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the problems.
func (e *Error) Unwrap() []error {
	all := make([]error, len(e.Problems))
	for i, p := range e.Problems {
		all[i] = p
	}
	return all
}

// Warning is something that is probably a mistake but changes nothing.
type Warning struct {
	Origin     Origin
	Message    string
	Suggestion string
}

// String gives the warning on one line, beginning with its place.
func (w Warning) String() string {
	return (&Problem{Origin: w.Origin, Message: w.Message, Suggestion: w.Suggestion}).Error()
}

// quote quotes text that a person wrote, and keeps it short.
func quote(text string) string {
	const longest = 60
	if runes := []rune(text); len(runes) > longest {
		text = string(runes[:longest]) + "…"
	}
	return strconv.Quote(text)
}
