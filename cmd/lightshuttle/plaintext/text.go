package plaintext

import (
	"regexp"
	"strings"
	"unicode"
)

// sequences are the escape sequences of terminals: those that begin a string
// (titles, links, the clipboard), those with parameters (colours, the cursor),
// and short ones.
var sequences = regexp.MustCompile(`\x1b(?:` +
	`[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)` +
	`|\[[0-?]*[ -/]*[@-~]` +
	`|[ -/]*[0-Z\\^-~])`)

// returns are the carriage returns of a line break, and those that would let
// what follows hide what was before.
var returns = regexp.MustCompile(`\r+\n|\r+`)

// Text returns s without escape sequences and with a visible mark in place of
// every other control character. Line breaks and tabs stay; a carriage return
// becomes a line break.
func Text(s string) string {
	s = sequences.ReplaceAllString(strings.ToValidUTF8(s, string(mark)), "")
	s = returns.ReplaceAllString(s, "\n")
	// Removing a sequence may have made another one out of what was around it:
	// this is what makes the text safe, whatever came before.
	return strings.Map(visible, s)
}

// Line is as [Text], on one line.
func Line(s string) string {
	return strings.NewReplacer("\n", " ", "\t", " ").Replace(Text(s))
}

// mark is shown where something was that can't be shown. It isn't U+FFFD, as
// the text handler of the log drops what follows one.
const mark = '□'

func visible(r rune) rune {
	switch {
	case r == '\t', r == '\n':
		return r
	case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == '\u2028', r == '\u2029', r == unicode.ReplacementChar:
		return mark
	default:
		return r
	}
}
