package manifest

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// volumeMount is a parsed entry of `volumes`.
type volumeMount struct {
	// Source is a path as it was written, or a volume's own name.
	Source   string
	IsPath   bool
	Target   string
	ReadOnly bool
}

var (
	volumeName  = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]*$`)
	driveLetter = regexp.MustCompile(`^[A-Za-z]:[\\/]`)
)

// parseVolume reads source:target[:ro|:rw].
func parseVolume(text string) (volumeMount, error) {
	drive := ""
	rest := text
	// x:/y alone is a volume x; a drive needs a target behind it.
	if driveLetter.MatchString(rest) && strings.Contains(rest[2:], ":") {
		drive, rest = rest[:2], rest[2:]
	}
	parts := strings.Split(rest, ":")
	if len(parts) < 2 || len(parts) > 3 {
		return volumeMount{}, fmt.Errorf("volume %q must be source:target or source:target:ro", text)
	}
	mount := volumeMount{Source: drive + parts[0], Target: parts[1]}
	if len(parts) == 3 {
		switch parts[2] {
		case "ro":
			mount.ReadOnly = true
		case "rw":
		default:
			return volumeMount{}, fmt.Errorf("volume %q: the mode must be ro or rw, not %q", text, parts[2])
		}
	}
	mount.IsPath = drive != "" || strings.HasPrefix(parts[0], ".") || strings.HasPrefix(parts[0], "/")
	return mount, mount.check(text)
}

func (m volumeMount) check(text string) error {
	if !strings.HasPrefix(m.Target, "/") || path.Clean(m.Target) == "/" {
		return fmt.Errorf("volume %q: the target %q must be an absolute path in the container", text, m.Target)
	}
	if !m.IsPath && !volumeName.MatchString(m.Source) {
		return fmt.Errorf("volume %q: %q is neither a path (which begins with . or /) nor a volume's name", text, m.Source)
	}
	if m.IsPath && !filepath.IsAbs(m.Source) && climbs(m.Source) {
		return fmt.Errorf("volume %q: a relative path can't leave the manifest's folder (it has ..)", text)
	}
	return nil
}

func climbs(relative string) bool {
	for _, part := range strings.FieldsFunc(relative, func(r rune) bool { return r == '/' || r == '\\' }) {
		if part == ".." {
			return true
		}
	}
	return false
}

// absolute makes a path of the manifest absolute.
func absolute(dir, given string) string {
	if filepath.IsAbs(given) || driveLetter.MatchString(given) {
		return given
	}
	return filepath.Join(dir, given)
}

// parseTmpfs reads path[:options].
func parseTmpfs(text string) (sdk.Mount, error) {
	target, options, _ := strings.Cut(text, ":")
	if !strings.HasPrefix(target, "/") || path.Clean(target) == "/" {
		return sdk.Mount{}, errors.New("tmpfs needs an absolute path in the container")
	}
	return sdk.Mount{Type: sdk.MountTmpfs, Target: target, Options: options}, nil
}
