package config

import (
	"slices"
	"strings"
)

// envPrefix begins the name of every variable that is a setting.
const envPrefix = "LIGHTSHUTTLE_"

// Setting is one row of the table of settings.
type Setting struct {
	// Key is the path in a file, such as "timeouts.start".
	Key string
	// Flag is the flag that sets it, without dashes; empty if there is none.
	Flag string
	// Default is the value if no source gives one, as it would be written.
	Default string
	// Doc says what it is for, in whole sentences.
	Doc string

	kind kind
}

// Env is the name of the environment variable that sets it.
func (s Setting) Env() string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(s.Key, ".", "_"))
}

// Type names the values that the setting takes, for people.
func (s Setting) Type() string { return s.kind.name }

// table is what everything else in this package follows from. Settings of one
// section stand together.
var table = []Setting{
	{
		Key: "runtime", Flag: "runtime", Default: "docker", kind: nonEmptyKind,
		Doc: "The runtime that starts the containers: the name of one that is built in, or a .wasm file.",
	},
	{
		Key: "runtimes.docker.host", Default: "", kind: textKind,
		Doc: "Where the Docker engine listens, such as unix:///var/run/docker.sock. Empty: where the context says.",
	},
	{
		Key: "runtimes.docker.context", Default: "", kind: textKind,
		Doc: "The Docker context to use. Empty: the one in use.",
	},
	{
		Key: "runtimes.nerdctl.path", Default: "nerdctl", kind: nonEmptyKind,
		Doc: "The program nerdctl: a name that is on the path, or where it is.",
	},
	{
		Key: "runtimes.nerdctl.namespace", Default: "", kind: textKind,
		Doc: "The containerd namespace that nerdctl uses. Empty: the one of its own configuration.",
	},
	{
		Key: "runtimes.podman.path", Default: "podman", kind: nonEmptyKind,
		Doc: "The program podman: a name that is on the path, or where it is.",
	},
	{
		Key: "runtimes.podman.host", Default: "", kind: textKind,
		Doc: "Where podman's Docker-compatible service listens, such as unix:///run/user/1000/podman/podman.sock. Empty: the program is run instead.",
	},
	{
		Key: "runtimes.finch.path", Default: "finch", kind: nonEmptyKind,
		Doc: "The program finch: a name that is on the path, or where it is.",
	},
	{
		Key: "timeouts.start", Default: "60s", kind: durationKind,
		Doc: "The least time that a resource is given to become ready. Its healthcheck may ask for more.",
	},
	{
		Key: "timeouts.wait", Flag: "wait-timeout", Default: "0s", kind: durationKind,
		Doc: "How long the whole of `up` may take until everything is ready. 0s: as long as it needs.",
	},
	{
		Key: "timeouts.engine", Default: "30s", kind: durationKind,
		Doc: "How long the engine may take to answer what needs no work, such as a look at a container. Pulls, builds, starts and stops have bounds of their own.",
	},
	{
		Key: "grace", Flag: "grace", Default: "10s", kind: durationKind,
		Doc: "How long a container is given to end by itself before it is killed.",
	},
	{
		Key: "parallel", Flag: "parallel", Default: "0", kind: countKind,
		Doc: "How many pulls and builds, and how many starts, may go on at the same time. 0: the program decides.",
	},
	{
		Key: "log.level", Flag: "log-level", Default: "info", kind: levelKind,
		Doc: "The least important messages to log.",
	},
	{
		Key: "log.format", Flag: "log-format", Default: FormatText, kind: formatKind,
		Doc: "How log messages are written: text for people, json for programs.",
	},
}

// Table returns all settings, those of one section together.
func Table() []Setting { return slices.Clone(table) }

func settingOf(key string) (Setting, bool) {
	i := slices.IndexFunc(table, func(s Setting) bool { return s.Key == key })
	if i < 0 {
		return Setting{}, false
	}
	return table[i], true
}

// join is the path of name in section; the section of the whole file is "".
func join(section, name string) string {
	if section == "" {
		return name
	}
	return section + "." + name
}

// namesIn lists what a section may hold: settings and further sections.
func namesIn(section string) []string {
	var names []string
	for _, s := range table {
		rest, inside := s.Key, true
		if section != "" {
			rest, inside = strings.CutPrefix(s.Key, section+".")
		}
		if !inside {
			continue
		}
		name, _, _ := strings.Cut(rest, ".")
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

func isSection(path string) bool { return len(namesIn(path)) > 0 }
