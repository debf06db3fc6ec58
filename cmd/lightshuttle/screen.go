package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"unicode/utf8"
)

// screen draws lines over those that it drew last.
type screen struct {
	out  io.Writer
	size func() (width, height int)

	mu sync.Mutex
	// widths are those of the lines drawn last, by which it is known how many
	// lines of the terminal they take, whatever its width is by now.
	widths []int
	// drawnFor is the width that they were made for; 0 before anything was drawn.
	drawnFor int
}

// draw shows a title and rows in the place of what was drawn last.
func (s *screen) draw(title string, rows []tableRow, colour bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	width, height := s.size()
	// What has scrolled away can't be drawn over.
	lines := append([]string{cut(title, width)}, layOut(rows, width, max(1, height-2), false)...)
	shown := lines
	if colour {
		shown = append([]string{lines[0]}, layOut(rows, width, max(1, height-2), true)...)
	}
	_, _ = io.WriteString(s.out, s.erase(width)+strings.Join(shown, "\n")+"\n") // a terminal that is gone shows nothing
	s.drawnFor = width
	for _, line := range lines {
		s.widths = append(s.widths, utf8.RuneCountInString(line))
	}
}

// above writes text where the table is, which the next drawing puts below it.
func (s *screen) above(text []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	width, _ := s.size()
	if _, err := io.WriteString(s.out, s.erase(width)); err != nil {
		return 0, err
	}
	return s.out.Write(text)
}

// stale says that the table must be drawn again though nothing has happened.
func (s *screen) stale() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	width, _ := s.size()
	return len(s.widths) == 0 || width != s.drawnFor
}

// erase goes up to the first line drawn last, and clears from there. Lines that
// a narrower terminal has broken take several of its lines.
func (s *screen) erase(width int) string {
	height := 0
	for _, w := range s.widths {
		height += max(1, (w+width-1)/width)
	}
	s.widths = nil
	if height == 0 {
		return ""
	}
	return fmt.Sprintf("\r\x1b[%dA\x1b[J", height)
}
