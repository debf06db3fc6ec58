package manifest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/agext/levenshtein"
)

// Severity says how bad a diagnostic is.
type Severity string

// The severities. Under strict rules a warning is an error.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// Position is a place in a file; lines and columns count from 1, columns in
// characters. The zero value is "somewhere in the file".
type Position struct {
	Line   int
	Column int
}

// Diagnostic is one thing that is wrong with a manifest.
type Diagnostic struct {
	Severity Severity
	File     string
	Position
	// Length is the number of characters that the message is about.
	Length  int
	Message string
	// Hint says what was expected or may have been meant; may be empty.
	Hint string
	// Source is the line of the file that Position is in.
	Source string
}

// String formats d with its source line and a caret.
func (d Diagnostic) String() string {
	var b strings.Builder
	b.WriteString(d.File)
	if d.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", d.Line, d.Column)
	}
	fmt.Fprintf(&b, ": %s: %s", d.Severity, d.Message)
	if d.Line == 0 || d.Source == "" {
		if d.Hint != "" {
			fmt.Fprintf(&b, "\n  %s", d.Hint)
		}
		return b.String()
	}
	number := fmt.Sprintf("%5d", d.Line)
	fmt.Fprintf(&b, "\n%s | %s\n%s | %s%s", number, printable(d.Source), strings.Repeat(" ", len(number)), indent(d.Source, d.Column), strings.Repeat("^", max(1, d.Length)))
	if d.Hint != "" {
		b.WriteString(" " + d.Hint)
	}
	return b.String()
}

// printable replaces what could play tricks on a terminal.
func printable(line string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f || r == utf8.RuneError {
			return '·'
		}
		return r
	}, line)
}

// indent is white space as wide as the line before the column: tabs stay tabs.
func indent(line string, column int) string {
	var b strings.Builder
	at := 1
	for _, r := range line {
		if at >= column {
			break
		}
		if r != '\t' {
			r = ' '
		}
		b.WriteRune(r)
		at++
	}
	return b.String()
}

// Diagnostics are all that is wrong, in the order of the file.
type Diagnostics []Diagnostic

// Error makes Diagnostics an error; the text is that of String.
func (ds Diagnostics) Error() string { return ds.String() }

// String formats all of them, one after the other.
func (ds Diagnostics) String() string {
	texts := make([]string, len(ds))
	for i, d := range ds {
		texts[i] = d.String()
	}
	return strings.Join(texts, "\n")
}

// HasErrors says whether any of them is an error.
func (ds Diagnostics) HasErrors() bool {
	return slices.ContainsFunc(ds, func(d Diagnostic) bool { return d.Severity == Error })
}

// Strict returns them with every warning made an error.
func (ds Diagnostics) Strict() Diagnostics {
	strict := slices.Clone(ds)
	for i := range strict {
		strict[i].Severity = Error
	}
	return strict
}

func (ds Diagnostics) sorted() Diagnostics {
	slices.SortStableFunc(ds, func(a, b Diagnostic) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return slices.CompactFunc(ds, func(a, b Diagnostic) bool { return a == b })
}

// reporter collects diagnostics about one file.
type reporter struct {
	file  string
	lines []string
	found Diagnostics
}

func newReporter(file string, data []byte) *reporter {
	return &reporter{file: file, lines: strings.Split(string(data), "\n")}
}

// span is a piece of the file.
type span struct {
	Position
	length int
}

func (r *reporter) errorf(at span, hint, format string, args ...any) {
	r.add(Error, at, hint, fmt.Sprintf(format, args...))
}

func (r *reporter) warnf(at span, hint, format string, args ...any) {
	r.add(Warning, at, hint, fmt.Sprintf(format, args...))
}

func (r *reporter) add(severity Severity, at span, hint, message string) {
	d := Diagnostic{Severity: severity, File: r.file, Position: at.Position, Length: at.length, Message: message, Hint: hint}
	if at.Line >= 1 && at.Line <= len(r.lines) {
		d.Source = strings.TrimRight(r.lines[at.Line-1], "\r")
		d.Length = min(d.Length, max(1, utf8.RuneCountInString(d.Source)-at.Column+1))
	}
	r.found = append(r.found, d)
}

// didYouMean suggests the candidate that the wrong word was probably meant to
// be; "" if none is near.
func didYouMean(wrong string, candidates []string) string {
	best, bestDistance := "", len(wrong)/3+1
	for _, candidate := range slices.Sorted(slices.Values(candidates)) {
		distance := levenshtein.Distance(strings.ToLower(wrong), strings.ToLower(candidate), nil)
		if distance < bestDistance || distance == bestDistance && best == "" && distance < len(candidate) {
			best, bestDistance = candidate, distance
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("did you mean `%s`?", best)
}

// suggestOr is didYouMean, or else the list of what there is.
func suggestOr(wrong string, candidates []string) string {
	if suggestion := didYouMean(wrong, candidates); suggestion != "" {
		return suggestion
	}
	if len(candidates) == 0 {
		return ""
	}
	return "expected one of: " + strings.Join(slices.Sorted(slices.Values(candidates)), ", ")
}
