package nerdctl

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// fileLimit is how long a line of an environment file may be: the programs read
// it with a buffer of 64 KiB.
const fileLimit = 60 << 10

// variables are the environment of a container on its way to the client. It
// goes through standard input, as a file; only what a file can't hold goes
// through the client's own environment, of which other users see nothing either.
type variables struct {
	args  []string
	stdin []byte
	env   [][2]string
}

// environment passes env on, or says which variable can't be.
func environment(env map[string]string) (variables, string) {
	var v variables
	var file strings.Builder
	for _, name := range slices.Sorted(maps.Keys(env)) {
		value := env[name]
		if fitsFile(name, value) {
			file.WriteString(name + "=" + value + "\n")
			continue
		}
		if steersClient(name) || strings.ContainsRune(value, 0) {
			return v, name
		}
		v.args = append(v.args, "--env", name)
		v.env = append(v.env, [2]string{name, value})
	}
	if file.Len() > 0 {
		v.stdin = []byte(file.String())
		v.args = append([]string{"--env-file", "/dev/stdin"}, v.args...)
	}
	return v, ""
}

func fitsFile(name, value string) bool {
	return !strings.ContainsAny(value, "\r\n\x00") && len(name)+len(value) < fileLimit && utf8.ValidString(value) &&
		!strings.HasPrefix(name, "#") && strings.TrimSpace(value) == value
}

// steersClient says whether a variable would change what the client itself does.
func steersClient(name string) bool {
	switch name {
	case "PATH", "HOME", "TMPDIR", "USER", "SHELL":
		return true
	}
	for _, prefix := range []string{"LD_", "GO", "NERDCTL_", "CONTAINERD_", "CONTAINER_", "CONTAINERS_", "DOCKER_", "BUILDKIT_", "BUILDAH_", "CNI_", "XDG_", "DBUS_", "STORAGE_", "HTTP_", "HTTPS_", "NO_PROXY"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

func unsupported(spec sdk.Spec, field, why string) error {
	e := sdk.Errorf(sdk.CodeUnsupported, "start", "%s: %s", field, why)
	e.Resource = spec.Resource
	return e
}
