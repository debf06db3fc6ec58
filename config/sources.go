package config

import (
	"path/filepath"
	"slices"
	"strings"
)

// Sources is where settings are read from, the strongest first.
type Sources struct {
	// Flags holds the flags that were given, by name without dashes; a flag that
	// was left at its default doesn't belong here. See [Setting.Flag].
	Flags map[string]string
	// Environ is in the form of os.Environ. An empty variable counts as not set.
	Environ []string
	// ConfigFile is that of --config. It must exist, unless empty.
	ConfigFile string
	// ProjectDir is the folder of the manifest, or empty.
	ProjectDir string
	// UserDir is the folder of the user's settings, or empty. See [UserDir].
	UserDir string
}

// ProjectFile is where the settings of the project in dir are.
func ProjectFile(dir string) string { return filepath.Join(dir, ".lightshuttle", "config.yaml") }

// UserFile is where the settings of the user with the folder dir are.
func UserFile(dir string) string { return filepath.Join(dir, "config.yaml") }

// UserDir is the folder of the user's settings: that of XDG_CONFIG_HOME, else
// of ~/.config. It is empty if there is no home.
func UserDir(environ []string) string {
	variables := variablesOf(environ)
	// The XDG specification tells to ignore a relative path.
	if base := variables["XDG_CONFIG_HOME"]; filepath.IsAbs(base) {
		return filepath.Join(base, "lightshuttle")
	}
	for _, name := range []string{"HOME", "USERPROFILE"} {
		if home := variables[name]; home != "" {
			return filepath.Join(home, ".config", "lightshuttle")
		}
	}
	return ""
}

// file is a settings file.
type file struct {
	path string
	// required says that it was asked for, so that it must exist.
	required bool
}

// files lists the files, the weakest first, each once.
func (s Sources) files() []file {
	var all []file
	if s.UserDir != "" {
		all = append(all, file{path: UserFile(s.UserDir)})
	}
	if s.ProjectDir != "" {
		all = append(all, file{path: ProjectFile(s.ProjectDir)})
	}
	if s.ConfigFile == "" {
		return all
	}
	// Someone may name the project's or their own file: it is read once, so that
	// what is wrong in it is said once.
	all = slices.DeleteFunc(all, func(f file) bool { return filepath.Clean(f.path) == filepath.Clean(s.ConfigFile) })
	return append(all, file{path: s.ConfigFile, required: true})
}

func variablesOf(environ []string) map[string]string {
	variables := make(map[string]string, len(environ))
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		variables[name] = value
	}
	return variables
}
