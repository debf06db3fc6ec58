package config

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestAcceptedFiles(t *testing.T) {
	tests := []struct{ name, text string }{
		{"empty", ""},
		{"only a comment", "# nothing\n"},
		{"an empty document", "---\n"},
		{"empty sections", "runtimes:\n  docker:\nlog: {}\n"},
		{"an alias", "timeouts: {start: &t 60s, wait: 0s}\nlog: {level: info}\n"},
		{"a byte order mark", "\ufeffgrace: 10s\n"},
		{"numbers and truth values where text is meant", "runtimes: {docker: {context: yes, host: 0x10}}\n"},
		{"quoted numbers", "parallel: \"4\"\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "config.yaml")
			write(t, path, test.text)
			if _, warnings, err := Load(Sources{ConfigFile: path}); err != nil || len(warnings) > 0 {
				t.Errorf("Load() warnings = %v, error = %v", warnings, err)
			}
		})
	}
}

func TestTextKeepsItsSpelling(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	write(t, path, "runtimes:\n  docker:\n    context: yes\n    host: 0x10\n")
	settings, _, err := Load(Sources{ConfigFile: path})
	if err != nil || settings.Runtimes.Docker != (Docker{Host: "0x10", Context: "yes"}) {
		t.Fatalf("Load() = %+v, %v", settings, err)
	}
	if got, want := settings.Entries()[1].Origin.String(), path+":4"; got != want {
		t.Errorf("origin = %q, want %q", got, want)
	}
}

func TestAliases(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	write(t, path, "grace: &short 3s\ntimeouts: {start: *short}\n")
	settings, _, err := Load(Sources{ConfigFile: path})
	if err != nil || settings.Timeouts.Start != 3*time.Second {
		t.Errorf("Load() = %+v, %v", settings, err)
	}
}

func TestFileThatAnyoneMayChange(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such bit")
	}
	dir := t.TempDir()
	path := ProjectFile(dir)
	write(t, path, "grace: 3s\n")
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	_, warnings, err := Load(Sources{ProjectDir: dir})
	if err != nil || len(warnings) != 1 || !strings.HasPrefix(warnings[0].String(), path+": anyone") {
		t.Errorf("Load() warnings = %v, error = %v", warnings, err)
	}
}

func TestFileNamedTwiceIsReadOnce(t *testing.T) {
	dir := t.TempDir()
	write(t, ProjectFile(dir), "grace: ten\n")
	_, _, err := Load(Sources{ProjectDir: dir, ConfigFile: filepath.Join(dir, ".lightshuttle", "..", ".lightshuttle", "config.yaml")})
	if err == nil || strings.Count(err.Error(), "\n") != 0 {
		t.Errorf("Load() error = %v, want one problem", err)
	}
}

func TestHugeFileIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	write(t, path, strings.Repeat("#", 1<<20+1))
	if _, _, err := Load(Sources{ConfigFile: path}); err == nil || !strings.Contains(err.Error(), "larger than 1 MiB") {
		t.Errorf("Load() error = %v", err)
	}
}

func TestUserDir(t *testing.T) {
	home, xdg := filepath.Join(t.TempDir(), "me"), filepath.Join(t.TempDir(), "xdg")
	tests := []struct {
		name    string
		environ []string
		want    string
	}{
		{"XDG", []string{"HOME=" + home, "XDG_CONFIG_HOME=" + xdg}, filepath.Join(xdg, "lightshuttle")},
		{"no XDG", []string{"HOME=" + home, "XDG_CONFIG_HOME="}, filepath.Join(home, ".config", "lightshuttle")},
		{"a relative XDG", []string{"HOME=" + home, "XDG_CONFIG_HOME=x"}, filepath.Join(home, ".config", "lightshuttle")},
		{"Windows", []string{"USERPROFILE=" + home}, filepath.Join(home, ".config", "lightshuttle")},
		{"no home", nil, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := UserDir(test.environ); got != test.want {
				t.Errorf("UserDir() = %q, want %q", got, test.want)
			}
		})
	}
}
