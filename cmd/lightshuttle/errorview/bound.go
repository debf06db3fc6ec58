package errorview

import (
	"strings"

	"github.com/lightshuttle/lightshuttle/cmd/lightshuttle/plaintext"
)

// How much is shown of what others wrote.
const (
	headlineLines = 40
	hintLines     = 10
	outputLines   = 20
	lineRunes     = 300
	// mostBytes bounds the work: a plugin may say anything.
	mostBytes = 64 << 10
)

const ellipsis = "…"

// firstLines returns the first lines of text, harmless and shortened.
func firstLines(text string, most int) []string {
	lines := strings.Split(clean(text[:min(len(text), mostBytes)]), "\n")
	if len(lines) > most {
		lines = append(lines[:most:most], ellipsis)
	}
	return shortened(lines)
}

// lastLines returns the last lines of text, harmless and shortened, and whether
// there are more before them.
func lastLines(text string, most int) (lines []string, more bool) {
	if len(text) > mostBytes {
		text, more = text[len(text)-mostBytes:], true
	}
	lines = strings.Split(clean(text), "\n")
	if len(lines) > most {
		lines, more = lines[len(lines)-most:], true
	}
	return shortened(lines), more
}

// clean makes text harmless and takes away the empty lines around it.
func clean(text string) string {
	text = strings.Trim(plaintext.Text(text), "\n")
	return strings.ReplaceAll(strings.TrimRight(text, " \t\n"), "\t", "    ")
}

func shortened(lines []string) []string {
	for i, line := range lines {
		if runes := []rune(line); len(runes) > lineRunes {
			lines[i] = string(runes[:lineRunes]) + ellipsis
		}
	}
	return lines
}
