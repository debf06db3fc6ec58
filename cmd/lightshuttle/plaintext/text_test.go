package plaintext

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestText(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"plain", "größer — 漢字 👩‍💻\n\tx", "größer — 漢字 👩‍💻\n\tx"},
		{"colours", "\x1b[1;31mred\x1b[0m", "red"},
		{"the cursor", "\x1b[2J\x1b[Hhome\x1b[?25l", "home"},
		{"a title", "\x1b]0;owned\x07after", "after"},
		{"a link", "\x1b]8;;http://x\x1b\\text\x1b]8;;\x1b\\", "text"},
		{"the clipboard", "\x1b]52;c;ZWNobw==\x07", ""},
		{"a string without an end", "\x1b]0;owned", "□]0;owned"},
		{"a device control string", "\x1bPq#0\x1b\\x", "x"},
		{"a short sequence", "\x1bc\x1b(Bx", "x"},
		{"a sequence made by removing one", "\x1b\x1b[31m[31mred", "□[31mred"},
		{"an escape at the end", "x\x1b", "x□"},
		{"eight-bit sequences", "\u009b31mred \x9b31m", "□31mred □31m"},
		{"a bell and a backspace", "a\x07b\x08c\x7f", "a□b□c□"},
		{"a progress bar", "10%\r20%\r\r\n30%\r", "10%\n20%\n30%\n"},
		{"reversed text", "a\u202eb", "a□b"},
		{"not UTF-8", "a\xff\xfeb", "a□b"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := Text(test.text); got != test.want {
				t.Errorf("Text(%q) = %q, want %q", test.text, got, test.want)
			}
		})
	}
}

func TestLine(t *testing.T) {
	if got, want := Line("a\r\nb\tc\x1b[1m"), "a b c"; got != want {
		t.Errorf("Line() = %q, want %q", got, want)
	}
}

// Whatever comes in, no control character comes out.
func TestTextIsSafe(t *testing.T) {
	pieces := rapid.SampledFrom([]string{"\x1b", "[", "]", "31m", "\x07", "\\", "\r", "\n", "\u009b", "\x9b", "P", "x", "0;", "\x7f"})
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(rapid.OneOf(pieces, rapid.String()), 0, 30).Draw(t, "pieces"), "")
		got := Text(text)
		if !utf8.ValidString(got) {
			t.Fatalf("Text(%q) = %q isn't UTF-8", text, got)
		}
		for _, r := range got {
			if unicode.IsControl(r) && r != '\n' && r != '\t' {
				t.Fatalf("Text(%q) = %q has %q", text, got, r)
			}
		}
		if strings.ContainsAny(Line(text), "\n\t") {
			t.Fatalf("Line(%q) = %q has more than one line", text, Line(text))
		}
	})
}
