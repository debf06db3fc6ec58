package manifest

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// Every message of the language, with its place: testdata/bad.txtar has the
// manifests, testdata/bad.golden what is said about them.
func TestDiagnostics(t *testing.T) {
	archive, err := txtar.ParseFile(filepath.Join("testdata", "bad.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	var all bytes.Buffer
	for _, file := range archive.Files {
		found := diagnose(file.Name, file.Data)
		if len(found) == 0 {
			t.Errorf("%s: nothing is found to be wrong with it", file.Name)
		}
		for _, d := range found {
			if d.Line > 0 && d.Source == "" && len(bytes.TrimSpace(file.Data)) > 0 && d.Line <= bytes.Count(file.Data, []byte("\n")) {
				t.Errorf("%s: no source line with %s", file.Name, d.Message)
			}
		}
		fmt.Fprintf(&all, "-- %s --\n%s\n", file.Name, found)
	}
	golden(t, "bad.golden", all.Bytes())
}

// diagnose parses and resolves, and returns all that is found.
func diagnose(name string, data []byte) Diagnostics {
	m, found := Parse(name, data)
	if m == nil {
		return found
	}
	_, more := m.Resolve(Inputs{Env: func(string) (string, bool) { return "", false }})
	return append(found, more...)
}

func TestCaretStandsUnderTheWord(t *testing.T) {
	wide := Diagnostic{Severity: Error, File: "f", Position: Position{1, 6}, Length: 2, Message: "m", Source: "äö\tü xy"}
	lines := strings.Split(wide.String(), "\n")
	if want := "      |   \t  ^^"; lines[2] != want {
		t.Errorf("caret line = %q, want %q", lines[2], want)
	}
}

func TestSourceCanNotSteerTheTerminal(t *testing.T) {
	d := Diagnostic{Severity: Error, File: "f", Position: Position{1, 1}, Message: "m", Source: "a\x1b[31mb"}
	if strings.Contains(d.String(), "\x1b") {
		t.Errorf("an escape gets through: %q", d.String())
	}
}

func TestStrictMakesErrors(t *testing.T) {
	warnings := Diagnostics{{Severity: Warning}}
	if warnings.HasErrors() || !warnings.Strict().HasErrors() {
		t.Error("a warning must be an error under strict rules, and only there")
	}
}

func TestDidYouMean(t *testing.T) {
	candidates := []string{"image", "init", "command", "container"}
	for wrong, want := range map[string]string{"imge": "image", "comand": "command", "Image": "image", "zzz": "", "in": ""} {
		got := didYouMean(wrong, candidates)
		if want == "" && got != "" || want != "" && !strings.Contains(got, "`"+want+"`") {
			t.Errorf("didYouMean(%q) = %q, want %q", wrong, got, want)
		}
	}
}
