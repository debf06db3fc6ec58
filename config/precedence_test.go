package config

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// samples holds five values of each setting, none of them its default.
var samples = map[string][5]string{
	"runtime":                    {"podman", "nerdctl", "process", "./a.wasm", "b.wasm"},
	"runtimes.docker.host":       {"unix:///a", "unix:///b", "tcp://c:1", "tcp://d:1", "ssh://e"},
	"runtimes.docker.context":    {"a", "b", "c", "d", "true"},
	"runtimes.nerdctl.path":      {"a", "/b", "c", "d", "e"},
	"runtimes.nerdctl.namespace": {"a", "b", "c", "d", "e"},
	"runtimes.podman.path":       {"a", "/b", "c", "d", "e"},
	"runtimes.podman.host":       {"unix:///a", "unix:///b", "tcp://c:1", "tcp://d:1", "ssh://e"},
	"runtimes.finch.path":        {"a", "/b", "c", "d", "e"},
	"timeouts.start":             {"1s", "2s", "3m", "1m30s", "1.5h"},
	"timeouts.wait":              {"1s", "2s", "3m", "1m30s", "5ms"},
	"timeouts.engine":            {"1s", "2s", "3m", "1m30s", "5ms"},
	"grace":                      {"1s", "2s", "3m", "1m30s", "0"},
	"parallel":                   {"1", "2", "3", "010", "5"},
	"log.level":                  {"debug", "warn", "error", "debug", "warn"},
	"log.format":                 {"json", "json", "json", "json", "json"},
}

// layers are the sources that can be given, the weakest first.
var layers = []string{"user", "project", "config", "env", "flag"}

// stack writes sources in which each layer gives the settings in given, from
// the key to the text.
type stack struct {
	sources Sources
	given   map[string]map[string]string
}

func newStack(t interface{ Fatal(...any) }, dir string, given map[string]map[string]string) stack {
	s := stack{given: given, sources: Sources{
		Flags: map[string]string{}, UserDir: filepath.Join(dir, "user"), ProjectDir: filepath.Join(dir, "project"),
	}}
	files := map[string]string{
		"user": UserFile(s.sources.UserDir), "project": ProjectFile(s.sources.ProjectDir), "config": filepath.Join(dir, "config.yaml"),
	}
	for layer, path := range files {
		if len(given[layer]) == 0 {
			continue
		}
		if layer == "config" {
			s.sources.ConfigFile = path
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nested(given[layer]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, setting := range table {
		if text, ok := given["env"][setting.Key]; ok {
			s.sources.Environ = append(s.sources.Environ, setting.Env()+"="+text)
		}
		if text, ok := given["flag"][setting.Key]; ok {
			s.sources.Flags[setting.Flag] = text
		}
	}
	return s
}

// nested writes settings as YAML, in flow style because that needs no care for
// sections.
func nested(given map[string]string) []byte {
	var write func(section string) string
	write = func(section string) string {
		var parts []string
		for _, name := range namesIn(section) {
			path := join(section, name)
			if isSection(path) {
				if inner := write(path); inner != "{}" {
					parts = append(parts, name+": "+inner)
				}
				continue
			}
			if text, ok := given[path]; ok {
				parts = append(parts, fmt.Sprintf("%s: %q", name, text))
			}
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return []byte(write(""))
}

// check compares what was loaded with what the strongest layer says.
func (s stack) check(t interface {
	Fatalf(string, ...any)
	Errorf(string, ...any)
},
) {
	settings, warnings, err := Load(s.sources)
	if err != nil || len(warnings) > 0 {
		t.Fatalf("Load() warnings = %v, error = %v", warnings, err)
	}
	for i, setting := range table {
		wantText, wantSource := setting.Default, SourceDefault
		for _, layer := range layers {
			if text, ok := s.given[layer][setting.Key]; ok {
				wantText, wantSource = text, sourceOf(layer)
			}
		}
		got := settings.Entries()[i]
		if got.Key != setting.Key || got.Value != wantText || got.Origin.Source != wantSource {
			t.Errorf("entry = %+v, want %s = %q from %s", got, setting.Key, wantText, wantSource)
		}
		wantValue, _ := setting.kind.parse(wantText)
		if value := field(settings, setting.Key); value != wantValue {
			t.Errorf("%s = %v, want %v", setting.Key, value, wantValue)
		}
	}
}

func sourceOf(layer string) Source {
	switch layer {
	case "env":
		return SourceEnv
	case "flag":
		return SourceFlag
	default:
		return SourceFile
	}
}

func field(s *Settings, key string) any {
	return map[string]any{
		"runtime": s.Runtime, "runtimes.docker.host": s.Runtimes.Docker.Host, "runtimes.docker.context": s.Runtimes.Docker.Context,
		"runtimes.nerdctl.path": s.Runtimes.Nerdctl.Path, "runtimes.nerdctl.namespace": s.Runtimes.Nerdctl.Namespace,
		"runtimes.podman.path": s.Runtimes.Podman.Path, "runtimes.podman.host": s.Runtimes.Podman.Host, "runtimes.finch.path": s.Runtimes.Finch.Path,
		"timeouts.start": s.Timeouts.Start, "timeouts.wait": s.Timeouts.Wait, "timeouts.engine": s.Timeouts.Engine, "grace": s.Grace, "parallel": s.Parallel,
		"log.level": s.Log.Level, "log.format": s.Log.Format,
	}[key]
}

// For every key, every layer wins over those below it.
func TestPrecedencePerKey(t *testing.T) {
	for _, setting := range table {
		t.Run(setting.Key, func(t *testing.T) {
			given := map[string]map[string]string{}
			for i, layer := range layers {
				if layer == "flag" && setting.Flag == "" {
					continue
				}
				given[layer] = map[string]string{setting.Key: samples[setting.Key][i]}
				newStack(t, t.TempDir(), given).check(t)
			}
		})
	}
}

// Whatever the layers say about whichever settings, the strongest wins for each.
func TestPrecedenceOfSubsets(t *testing.T) {
	dir := t.TempDir()
	round := 0
	rapid.Check(t, func(t *rapid.T) {
		round++
		given := map[string]map[string]string{}
		for _, layer := range layers {
			given[layer] = map[string]string{}
			for _, setting := range table {
				if (layer == "flag" && setting.Flag == "") || !rapid.Bool().Draw(t, layer+" gives "+setting.Key) {
					continue
				}
				all := samples[setting.Key]
				given[layer][setting.Key] = rapid.SampledFrom(all[:]).Draw(t, layer+"'s "+setting.Key)
			}
		}
		newStack(t, filepath.Join(dir, fmt.Sprint(round)), given).check(t)
	})
}

func TestDefaults(t *testing.T) {
	settings, warnings, err := Load(Sources{})
	if err != nil || len(warnings) > 0 {
		t.Fatalf("Load() warnings = %v, error = %v", warnings, err)
	}
	settings.entries = nil
	want := Settings{
		Runtime:  "docker",
		Runtimes: Runtimes{Nerdctl: Nerdctl{Path: "nerdctl"}, Podman: Podman{Path: "podman"}, Finch: Finch{Path: "finch"}},
		Timeouts: Timeouts{Start: 60 * time.Second, Engine: 30 * time.Second}, Grace: 10 * time.Second,
		Log: Log{Level: slog.LevelInfo, Format: FormatText},
	}
	if fmt.Sprintf("%+v", *settings) != fmt.Sprintf("%+v", want) {
		t.Errorf("Load() = %+v, want %+v", *settings, want)
	}
}
