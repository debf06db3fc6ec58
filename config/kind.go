package config

import (
	"log/slog"
	"strconv"
	"strings"
	"time"
)

// kind is what values a setting takes.
type kind struct {
	// name is for the documentation.
	name string
	// expected completes a sentence that begins with "expected".
	expected string
	// parse returns the typed value of a text.
	parse func(text string) (value any, ok bool)
	// suggest returns what a text that parse refused may have meant, or "".
	suggest func(text string) string
}

var textKind = kind{
	name:     "text",
	expected: "text",
	parse:    func(text string) (any, bool) { return text, true },
	suggest:  noSuggestion,
}

var nonEmptyKind = kind{
	name:     "text",
	expected: "text that isn't empty",
	parse:    func(text string) (any, bool) { return text, strings.TrimSpace(text) != "" },
	suggest:  noSuggestion,
}

var durationKind = kind{
	name:     "duration",
	expected: "a duration such as 10s or 1m30s",
	parse: func(text string) (any, bool) {
		d, err := time.ParseDuration(text)
		return d, err == nil && d >= 0
	},
	// A bare number is the usual mistake, and seconds what is usually meant.
	suggest: func(text string) string {
		if n, err := strconv.ParseFloat(text, 64); err == nil && n >= 0 {
			return text + "s"
		}
		return ""
	},
}

var countKind = kind{
	name:     "number",
	expected: "a whole number, 0 or more",
	parse: func(text string) (any, bool) {
		n, err := strconv.Atoi(text)
		return n, err == nil && n >= 0
	},
	suggest: noSuggestion,
}

var levelKind = wordKind(
	word{"debug", slog.LevelDebug},
	word{"info", slog.LevelInfo},
	word{"warn", slog.LevelWarn},
	word{"error", slog.LevelError},
)

var formatKind = wordKind(word{FormatText, FormatText}, word{FormatJSON, FormatJSON})

// word is one of the words that a setting takes, and what it stands for.
type word struct {
	text  string
	value any
}

// wordKind takes one of a few words.
func wordKind(words ...word) kind {
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = w.text
	}
	return kind{
		name:     strings.Join(texts, ", "),
		expected: "one of " + strings.Join(texts, ", "),
		parse: func(text string) (any, bool) {
			for _, w := range words {
				if w.text == text {
					return w.value, true
				}
			}
			return nil, false
		},
		suggest: func(text string) string { return closest(text, texts) },
	}
}

func noSuggestion(string) string { return "" }
