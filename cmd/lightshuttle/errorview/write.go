package errorview

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

const (
	red   = "\x1b[1;31m"
	cyan  = "\x1b[36m"
	faint = "\x1b[2m"
	reset = "\x1b[0m"
)

// Write shows err on w, which is stderr except in tests, with colours if wanted.
// It writes nothing for nil.
func Write(w io.Writer, err error, colour bool) error {
	if err == nil {
		return nil
	}
	v := view{colour: colour, shown: map[string]bool{}}
	for _, f := range findings(err) {
		v.finding(f)
	}
	_, failure := w.Write(v.out.Bytes())
	return failure
}

type view struct {
	out    bytes.Buffer
	colour bool
	// shown holds the hints and outputs that were written: what was caused by the
	// same error has the same ones.
	shown map[string]bool
}

func (v *view) finding(f finding) {
	headline := firstLines(f.headline, headlineLines)
	fmt.Fprintf(&v.out, "%s %s\n", v.paint(red, "error:"), strings.Join(headline, "\n  "))
	if v.isNew(f.hint) {
		hint := firstLines(f.hint, hintLines)
		fmt.Fprintf(&v.out, "  %s %s\n", v.paint(cyan, "hint:"), strings.Join(hint, "\n        "))
	}
	v.block("last output:", f.output)
	v.block("last log lines:", f.logs)
}

// block shows the end of what a program printed.
func (v *view) block(title, text string) {
	if strings.TrimSpace(text) == "" || !v.isNew(text) {
		return
	}
	lines, more := lastLines(text, outputLines)
	fmt.Fprintf(&v.out, "  %s\n", title)
	bar := v.paint(faint, "│")
	if more {
		fmt.Fprintf(&v.out, "    %s …\n", bar)
	}
	for _, line := range lines {
		fmt.Fprintln(&v.out, strings.TrimRight(fmt.Sprintf("    %s %s", bar, line), " "))
	}
}

func (v *view) isNew(text string) bool {
	if text == "" || v.shown[text] {
		return false
	}
	v.shown[text] = true
	return true
}

func (v *view) paint(colour, text string) string {
	if !v.colour {
		return text
	}
	return colour + text + reset
}
