package config

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	keys, flags := map[string]bool{}, map[string]bool{}
	for _, s := range Table() {
		if keys[s.Key] || (s.Flag != "" && flags[s.Flag]) {
			t.Errorf("%s: its key or its flag is there twice", s.Key)
		}
		keys[s.Key], flags[s.Flag] = true, true
		if _, ok := s.kind.parse(s.Default); !ok {
			t.Errorf("%s: the default %q isn't %s", s.Key, s.Default, s.kind.expected)
		}
		if !strings.HasSuffix(s.Doc, ".") || s.Key != strings.ToLower(s.Key) {
			t.Errorf("%s: the key must be in lower case and the doc whole sentences", s.Key)
		}
		if strings.HasPrefix(s.Env(), testPrefix) {
			t.Errorf("%s: its variable would be taken for one of the tests", s.Key)
		}
		if len(samples[s.Key]) == 0 || samples[s.Key][0] == "" {
			t.Errorf("%s: the tests have no samples for it", s.Key)
		}
	}
}

func TestTemplate(t *testing.T) {
	golden(t, "template.yaml", string(Template()))
}

func TestMarkdown(t *testing.T) {
	golden(t, "settings.md", string(Markdown()))
}

// The template changes nothing as it is, and nothing with every setting
// uncommented, since it shows the defaults.
func TestTemplateShowsTheDefaults(t *testing.T) {
	asItIs := string(Template())
	var all []string
	for line := range strings.Lines(asItIs) {
		text := strings.TrimLeft(line, " ")
		if strings.HasPrefix(text, "#") && !strings.HasPrefix(text, "# ") && text != "#\n" {
			line = strings.Replace(line, "#", "", 1)
		}
		all = append(all, line)
	}
	for name, text := range map[string]string{"as it is": asItIs, "uncommented": strings.Join(all, "")} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "config.yaml")
			write(t, path, text)
			settings, warnings, err := Load(Sources{ConfigFile: path})
			if err != nil || len(warnings) > 0 {
				t.Fatalf("Load() warnings = %v, error = %v", warnings, err)
			}
			for i, entry := range settings.Entries() {
				if entry.Value != table[i].Default {
					t.Errorf("%s = %q, want %q", entry.Key, entry.Value, table[i].Default)
				}
				if uncommented := entry.Origin.Source == SourceFile; uncommented != (name == "uncommented") {
					t.Errorf("%s comes from %s", entry.Key, entry.Origin)
				}
			}
		})
	}
}

func TestClosest(t *testing.T) {
	candidates := []string{"debug", "info", "warn", "error"}
	tests := []struct{ text, want string }{
		{"INFO", "info"}, {"warning", "warn"}, {"err", "error"}, {"debgu", "debug"}, {"trace", ""}, {"", ""},
	}
	for _, test := range tests {
		if got := closest(test.text, candidates); got != test.want {
			t.Errorf("closest(%q) = %q, want %q", test.text, got, test.want)
		}
	}
}
