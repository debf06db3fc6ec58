package host

import (
	"errors"
	"log/slog"

	"github.com/lightshuttle/lightshuttle/config"
	"github.com/lightshuttle/lightshuttle/host/machine"
	"github.com/lightshuttle/lightshuttle/plugins/docker"
	"github.com/lightshuttle/lightshuttle/plugins/nerdctl"
)

func openNerdctl(settings *config.Settings, logger *slog.Logger) (Runtime, error) {
	return openProgram(settings, nerdctl.Options{Dialect: "nerdctl", Program: settings.Runtimes.Nerdctl.Path, Namespace: settings.Runtimes.Nerdctl.Namespace}, logger)
}

// openPodman drives the program, or with an address the service that
// understands Docker's API.
func openPodman(settings *config.Settings, logger *slog.Logger) (Runtime, error) {
	if address := settings.Runtimes.Podman.Host; address != "" {
		return docker.Open(docker.Options{Host: address, AnswerTimeout: settings.Timeouts.Engine, Logger: logger})
	}
	return openProgram(settings, nerdctl.Options{Dialect: "podman", Program: settings.Runtimes.Podman.Path}, logger)
}

func openFinch(settings *config.Settings, logger *slog.Logger) (Runtime, error) {
	return openProgram(settings, nerdctl.Options{Dialect: "finch", Program: settings.Runtimes.Finch.Path}, logger)
}

// engineVariables steer the programs that drive engines, and how they reach
// registries.
var engineVariables = []string{
	"NERDCTL_*", "CONTAINERD_*", "CONTAINER_*", "CONTAINERS_*", "DOCKER_*", "BUILDKIT_*", "BUILDAH_*", "CNI_*", "FINCH_*", "STORAGE_*", "REGISTRY_AUTH_FILE",
	"XDG_*", "DBUS_SESSION_BUS_ADDRESS", "SSH_AUTH_SOCK", "ROOTLESSKIT_*",
	"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_*",
}

// program is a runtime that drives an engine's program on this machine.
type program struct {
	*nerdctl.Runtime
	machine *machine.Machine
}

func openProgram(settings *config.Settings, options nerdctl.Options, logger *slog.Logger) (Runtime, error) {
	host := machine.New(machine.Options{Pass: engineVariables, Logger: logger})
	options.Host, options.AnswerTimeout = host, settings.Timeouts.Engine
	runtime, err := nerdctl.Open(options)
	if err != nil {
		return nil, err
	}
	return program{runtime, host}, nil
}

// Close ends the runtime, and then what it used.
func (p program) Close() error {
	err := p.Runtime.Close()
	return errors.Join(err, p.machine.Close())
}
