package logging

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/lmittmann/tint"

	"github.com/lightshuttle/lightshuttle/config"
)

// record is a message with everything that a container may have had a hand in.
func record() slog.Record {
	r := slog.NewRecord(time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.Local), slog.LevelWarn, "said \x1b[2Jthis\nERR forged", 0)
	r.AddAttrs(
		slog.String("resource", "db"),
		slog.String("text", "a \x1b]0;owned\x07b"),
		tint.Err(errors.New("\x1b[31mred")),
		slog.Group("group", slog.Any("value", []string{"\u009b2J"})),
		slog.Duration("took", 1500*time.Millisecond),
		slog.Any("nothing", nil),
	)
	return r
}

func TestText(t *testing.T) {
	const want = "03:04:05.006 WRN said this ERR forged resource=db text=\"a b\" err=red group.value=[□2J] took=1.5s nothing=<nil>\n"
	tests := []struct {
		name    string
		options Options
		colour  bool
	}{
		{"a file", Options{}, false},
		{"a file with NO_COLOR", Options{NoColor: true}, false},
		{"a terminal", Options{Terminal: true}, true},
		{"a terminal with NO_COLOR", Options{Terminal: true, NoColor: true}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			test.options.Settings = config.Log{Format: config.FormatText}
			if err := New(&out, test.options).Handler().Handle(context.Background(), record()); err != nil {
				t.Fatal(err)
			}
			got := out.String()
			if colour := strings.Contains(got, "\x1b["); colour != test.colour {
				t.Errorf("colour = %v, want %v: %q", colour, test.colour, got)
			}
			for _, code := range []string{"\x1b[0m", "\x1b[2m", "\x1b[22m", "\x1b[93m", "\x1b[2;91m", "\x1b[2;93m"} {
				got = strings.ReplaceAll(got, code, "")
			}
			if got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestJSON(t *testing.T) {
	var out bytes.Buffer
	log := New(&out, Options{Settings: config.Log{Format: config.FormatJSON}, Terminal: true})
	log.Info("hello", "resource", "db")
	var got map[string]any
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got["msg"] != "hello" || got["level"] != "INFO" || got["resource"] != "db" {
		t.Errorf("got %v", got)
	}
}

func TestLevel(t *testing.T) {
	for _, format := range []string{config.FormatText, config.FormatJSON} {
		t.Run(format, func(t *testing.T) {
			var out bytes.Buffer
			log := New(&out, Options{Settings: config.Log{Level: slog.LevelWarn, Format: format}})
			log.Info("quiet")
			log.Warn("loud")
			if got := out.String(); strings.Contains(got, "quiet") || !strings.Contains(got, "loud") {
				t.Errorf("got %q", got)
			}
		})
	}
}
