package manifest

import (
	"io/fs"
	"strings"
	"unicode/utf8"
)

// EnvVar is one line of an env file.
type EnvVar struct {
	Name  string
	Value string
	Line  int
}

// ParseEnvFile reads lines of the form NAME=value: `export ` may stand before
// the name, quotes around the value, a comment after ` #` behind a value without
// quotes. Nothing in a value is expanded. Of a name that stands twice, the last
// counts.
func ParseEnvFile(file string, data []byte) ([]EnvVar, Diagnostics) {
	report := newReporter(file, data)
	if !utf8.Valid(data) {
		report.errorf(invalidUTF8(data), "save the file as UTF-8", "not valid UTF-8")
		return nil, report.found
	}
	var vars []EnvVar
	for i, line := range strings.Split(strings.TrimPrefix(string(data), "\ufeff"), "\n") {
		text := strings.TrimSpace(line)
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		at := span{Position{i + 1, 1}, utf8.RuneCountInString(line)}
		name, value, problem := envLine(text)
		if problem != "" {
			report.errorf(at, "write it as NAME=value", "%s", problem)
			continue
		}
		vars = append(vars, EnvVar{Name: name, Value: value, Line: i + 1})
	}
	return vars, report.found
}

func envLine(text string) (name, value, problem string) {
	for _, prefix := range []string{"export ", "export\t"} {
		if rest, ok := strings.CutPrefix(text, prefix); ok {
			text = strings.TrimSpace(rest)
			break
		}
	}
	name, value, ok := strings.Cut(text, "=")
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	if !ok {
		return "", "", "a line without `=`"
	}
	if !isVariable(name) {
		return "", "", "a name that isn't one of a variable (letters, digits and _)"
	}
	if value == "" || value[0] != '"' && value[0] != '\'' {
		return name, withoutComment(value), ""
	}
	end := strings.IndexByte(value[1:], value[0])
	if end < 0 {
		return "", "", "a quote that is never closed"
	}
	after := strings.TrimSpace(value[end+2:])
	if after != "" && !strings.HasPrefix(after, "#") {
		return "", "", "text after the closing quote"
	}
	return name, value[1 : end+1], ""
}

func withoutComment(value string) string {
	if strings.HasPrefix(value, "#") {
		return ""
	}
	for _, mark := range []string{" #", "\t#"} {
		if before, _, ok := strings.Cut(value, mark); ok {
			value = strings.TrimSpace(before)
		}
	}
	return value
}

// CheckEnvFileMode warns of a file of secrets that others can read.
func CheckEnvFileMode(file string, mode fs.FileMode) Diagnostics {
	if mode.Perm()&0o077 == 0 {
		return nil
	}
	return Diagnostics{{
		Severity: Warning, File: file,
		Message: "others on this machine may read it, and it may hold secrets",
		Hint:    "chmod 600 " + file,
	}}
}
