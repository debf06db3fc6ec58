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

// Text returns s without escape sequences and with a visible mark in place of
// every other control character. Line breaks and tabs stay. Of a line that was
// overwritten, as progress bars do, the last state stays.
func Text(s string) string {
	s = sequences.ReplaceAllString(strings.ToValidUTF8(s, string(mark)), "")
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		line = strings.TrimRight(line, "\r")
		line = line[strings.LastIndexByte(line, '\r')+1:]
		// Removing a sequence may have made another one out of what was around it:
		// this is what makes the text safe, whatever came before.
		lines[i] = strings.Map(visible, line)
	}
	return strings.Join(lines, "\n")
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
	case r == '\t':
		return r
	case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == '\u2028', r == '\u2029', r == unicode.ReplacementChar:
		return mark
	default:
		return r
	}
}
