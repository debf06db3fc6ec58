package host

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/agext/levenshtein"

	"github.com/lightshuttle/lightshuttle/config"
	"github.com/lightshuttle/lightshuttle/host/trust"
	"github.com/lightshuttle/lightshuttle/host/wasm"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// Trusted are the plugins that the user trusts.
func Trusted() (*trust.List, error) { return trust.Load(config.UserDir(os.Environ())) }

// OpenPlugin opens a plugin by its file or by the name under which it is trusted,
// with what it is granted.
func OpenPlugin(name, project string, logger *slog.Logger) (wasm.Runtime, error) {
	list, err := Trusted()
	if err != nil {
		return nil, err
	}
	options := wasm.Options{Project: project, Logger: logger, CacheDir: cacheDir(), DataDir: dataDir()}
	// Loading bounds itself.
	ctx := context.Background()
	if trust.IsFile(name) {
		return list.OpenFile(ctx, name, options)
	}
	if _, known := list.ByName(name); known {
		return list.Open(ctx, name, options)
	}
	return nil, unknownRuntime(name, append(Names(), list.Names()...))
}

// unknownRuntime is the error for a name that is none.
func unknownRuntime(name string, names []string) error {
	err := &sdk.Error{Code: sdk.CodeInvalid, Err: fmt.Errorf("there is no runtime %s", name), Hint: "there is: " + strings.Join(names, ", ")}
	closest := slices.MinFunc(names, func(a, b string) int {
		return levenshtein.Distance(name, a, nil) - levenshtein.Distance(name, b, nil)
	})
	const typo = 2
	if levenshtein.Distance(name, closest, nil) <= typo {
		err.Hint = fmt.Sprintf("did you mean %s? There is: %s", closest, strings.Join(names, ", "))
	}
	return err
}

// cacheDir is where compiled plugins are kept; nowhere without a home.
func cacheDir() string {
	base, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(base, "lightshuttle", "plugins")
}

// dataDir is where plugins keep what they must not forget; in memory only
// without a home.
func dataDir() string {
	if base := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(base) {
		return filepath.Join(base, "lightshuttle", "plugins")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".local", "state", "lightshuttle", "plugins")
}
