package machine

import (
	"os"
	"strings"
)

// always are the variables without which programs don't find their files, or
// show text wrongly.
var always = []string{"PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "LANG", "LC_*", "TZ", "SystemRoot", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "ProgramData", "TEMP"}

// environment is what a program is given: little of our own, and added to it.
func (m *Machine) environment(added [][2]string) []string {
	var env []string
	for _, pair := range os.Environ() {
		name, _, _ := strings.Cut(pair, "=")
		if matches(always, name) || matches(m.options.Pass, name) {
			env = append(env, pair)
		}
	}
	for _, pair := range added {
		env = append(env, pair[0]+"="+pair[1])
	}
	return env
}

func matches(patterns []string, name string) bool {
	for _, pattern := range patterns {
		prefix, open := strings.CutSuffix(pattern, "*")
		if name == pattern || open && strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
