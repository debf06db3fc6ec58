package manifest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// FileNames are the names of a manifest, the first preferred.
var FileNames = []string{"lightshuttle.yml", "lightshuttle.yaml"}

// ErrNotFound says that there is no manifest.
var ErrNotFound = errors.New("no manifest found")

// Find returns the manifest in dir or in the nearest of its parents. The error
// wraps ErrNotFound when there is none.
func Find(dir string) (string, error) {
	start, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for at := start; ; at = filepath.Dir(at) {
		for _, name := range FileNames {
			path := filepath.Join(at, name)
			info, err := os.Stat(path)
			if err == nil && !info.IsDir() {
				return path, nil
			}
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return "", err
			}
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("%w: no %s in %s or a folder above it", ErrNotFound, strings.Join(FileNames, " or "), start)
		}
	}
}
