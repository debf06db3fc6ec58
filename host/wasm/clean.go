package wasm

import (
	"slices"
	"strings"
	"sync"
	"unicode"
)

// secrets are values that no text of a plugin may show.
type secrets struct {
	mu     sync.Mutex
	values []string
}

// shortestSecret is the length from which a value is hidden: hiding "1" would
// make every text unreadable.
const shortestSecret = 4

// mostSecrets bounds what is remembered; the oldest go first.
const mostSecrets = 1000

func (s *secrets) add(value string) {
	if len(value) < shortestSecret {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.Contains(s.values, value) {
		return
	}
	s.values = append(s.values, value)
	if len(s.values) > mostSecrets {
		s.values = s.values[1:]
	}
}

// hide takes the secrets out of text, the longest first: one may be part of
// another.
func (s *secrets) hide(text string) string {
	s.mu.Lock()
	values := slices.Clone(s.values)
	s.mu.Unlock()
	slices.SortFunc(values, func(a, b string) int { return len(b) - len(a) })
	for _, value := range values {
		text = strings.ReplaceAll(text, value, "***")
	}
	return text
}

// clean makes a text of a plugin fit to be shown: valid UTF-8, no secret, and
// nothing that a terminal would obey.
func (p *Plugin) clean(text string) string {
	return p.secrets.hide(strings.Map(harmless, strings.ToValidUTF8(text, "�")))
}

func harmless(r rune) rune {
	switch {
	case r == '\n', r == '\t':
		return r
	case r == '\r':
		return -1
	case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == '\u2028', r == '\u2029':
		return '�'
	}
	return r
}

// line is clean for a text of one line.
func (p *Plugin) line(text string) string {
	return strings.ReplaceAll(strings.TrimSpace(p.clean(text)), "\n", " ")
}

// OneLine makes a text of a module that doesn't run fit to be shown in one line.
func OneLine(text string) string {
	return strings.ReplaceAll(strings.TrimSpace(strings.Map(harmless, strings.ToValidUTF8(text, "�"))), "\n", " ")
}
