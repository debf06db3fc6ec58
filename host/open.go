package host

import (
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"github.com/lightshuttle/lightshuttle/config"
	"github.com/lightshuttle/lightshuttle/plugins/docker"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// Runtime is a runtime that has to be closed.
type Runtime interface {
	sdk.Runtime
	io.Closer
}

// Names are the runtimes that there are.
var Names = []string{"docker"}

// planned are known, but not built yet.
var planned = []string{"nerdctl", "podman", "finch", "process", "auto"}

// Open opens the runtime that the settings name. Nothing is asked of its engine
// yet. An unknown name fails with sdk.CodeInvalid.
func Open(settings *config.Settings, logger *slog.Logger) (Runtime, error) {
	name := settings.Runtime
	switch {
	case name == "docker":
		return docker.Open(docker.Options{
			Host: settings.Runtimes.Docker.Host, Context: settings.Runtimes.Docker.Context, Logger: logger,
		})
	case slices.Contains(planned, name), strings.HasSuffix(name, ".wasm"):
		return nil, &sdk.Error{Code: sdk.CodeInvalid, Err: fmt.Errorf("the runtime %s is not supported yet", name), Hint: "there is: " + strings.Join(Names, ", ")}
	}
	return nil, &sdk.Error{Code: sdk.CodeInvalid, Err: fmt.Errorf("there is no runtime %s", name), Hint: "there is: " + strings.Join(Names, ", ")}
}
