package manifest

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
)

// Names on the engine are injective: '.' is in no name of a project or a
// resource, so it separates the two without doubt.

var (
	namePattern     = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,31}$`)
	databasePattern = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)
	labelPattern    = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	// componentPattern is a component of an image's name.
	componentPattern = regexp.MustCompile(`^[a-z0-9]+((_|__|-+)[a-z0-9]+)*$`)
)

// ValidName says whether name can name a project or a resource.
func ValidName(name string) bool { return namePattern.MatchString(name) }

// ContainerName is the name of a resource's container.
func ContainerName(project, resource string) string { return project + "." + resource }

// NetworkName is the name of a project's network.
func NetworkName(project string) string { return "lightshuttle-" + project }

func volumeNameOf(project, name string) string { return project + "_" + name }

func dataVolumeName(project, resource string) string { return project + "_" + resource + "_data" }

func buildTag(project, resource string) string {
	return "lightshuttle/" + imageComponent(project) + "/" + imageComponent(resource) + ":dev"
}

// imageComponent is name where that is allowed in an image's name; else its
// letters and digits with a hash of the whole, behind a '.', which no name has.
func imageComponent(name string) string {
	if componentPattern.MatchString(name) {
		return name
	}
	return strings.Trim(strings.Map(lettersAndDigits, name), "-") + "." + shortHash(name)
}

// hostLabel is the name under which others find a resource on the network: its
// own, or one that is allowed in DNS, which knows no '_'.
func hostLabel(name string) string {
	if labelPattern.MatchString(name) {
		return name
	}
	return strings.Trim(strings.Map(lettersAndDigits, name), "-") + "-" + shortHash(name)
}

func lettersAndDigits(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
		return r
	}
	return -1
}

func shortHash(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:4])
}
