package main

import (
	"fmt"
	"os"
	"strings"
	"time"
)

const (
	pageBegin = "<!-- lab matrix: changes are lost -->\n"
	pageEnd   = "<!-- end of lab matrix -->"
)

// writePage puts the figures into a page, between its marks.
func writePage(path string, outcomes []outcome, took time.Duration, now time.Time) error {
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, begun := strings.Cut(string(old), pageBegin)
	_, after, ended := strings.Cut(rest, pageEnd)
	if !begun || !ended {
		return fmt.Errorf("%s has no place for the figures: %q, %q", path, strings.TrimSpace(pageBegin), pageEnd)
	}
	text := before + pageBegin + fmt.Sprintf("\n%d combinations, in %s, on %s.\n\n", len(outcomes), took.Round(time.Minute), now.Format(time.DateOnly)) +
		table(outcomes) + "\n" + pageEnd + after
	return os.WriteFile(path, []byte(text), 0o644)
}
