package docs

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// block is a fenced block of a page.
type block struct {
	page     string
	line     int
	language string
	text     string
}

func (b block) String() string { return fmt.Sprintf("%s:%d", b.page, b.line) }

// pages are all pages that users read, relative to this folder.
func pages(t *testing.T) []string {
	t.Helper()
	var found []string
	for _, pattern := range []string{"*.md", "../README.md", "../examples/*.md", "../examples/*/*.md"} {
		matches, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, matches...)
	}
	if len(found) < 10 {
		t.Fatalf("only these pages were found: %v", found)
	}
	return found
}

func read(t *testing.T, page string) string {
	t.Helper()
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// blocks are the fenced blocks of all pages in one of the languages.
func blocks(t *testing.T, languages ...string) []block {
	t.Helper()
	var found []block
	for _, page := range pages(t) {
		for _, b := range blocksOf(page, read(t, page)) {
			for _, language := range languages {
				if b.language == language {
					found = append(found, b)
				}
			}
		}
	}
	if len(found) == 0 {
		t.Fatalf("no page has a block of %v", languages)
	}
	return found
}

func blocksOf(page, text string) []block {
	var found []block
	var open *block
	for i, line := range strings.Split(text, "\n") {
		fence, isFence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case isFence && open == nil:
			open = &block{page: page, line: i + 1, language: fence}
		case isFence:
			found = append(found, *open)
			open = nil
		case open != nil:
			open.text += line + "\n"
		}
	}
	if open != nil {
		found = append(found, block{page: page, line: open.line, language: "never closed"})
	}
	return found
}

// A block in a language that no test looks at could say anything.
func TestLanguagesOfBlocks(t *testing.T) {
	known := map[string]bool{"yaml": true, "sh": true, "text": true, "mermaid": true, "json": true, "wat": true, "go": true, "c": true}
	for _, page := range pages(t) {
		for _, b := range blocksOf(page, read(t, page)) {
			if !known[b.language] {
				t.Errorf("%s: a block of %q, which no test checks", b, b.language)
			}
		}
	}
}
