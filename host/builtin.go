package host

import (
	"log/slog"
	"os"

	"github.com/lightshuttle/lightshuttle/config"
	"github.com/lightshuttle/lightshuttle/plugins/docker"
	"github.com/lightshuttle/lightshuttle/plugins/process"
)

// builtin are the runtimes that are compiled in.
var builtin = []struct {
	name string
	open func(*config.Settings, *slog.Logger) (Runtime, error)
	// advice is what to do where it can't be reached.
	advice string
}{
	{"docker", openDocker, "install Docker and start it: https://docs.docker.com/engine/install"},
	{"podman", openPodman, "install podman, or give the address of its service with runtimes.podman.host"},
	{"nerdctl", openNerdctl, "install containerd and nerdctl, or say where nerdctl is with runtimes.nerdctl.path"},
	{"finch", openFinch, "install finch, or say where it is with runtimes.finch.path"},
	{processName, func(settings *config.Settings, logger *slog.Logger) (Runtime, error) {
		return openProcess(settings, logger)
	}, "use a Unix system"},
}

// Names are the names that the setting takes.
func Names() []string {
	names := make([]string, len(builtin))
	for i, one := range builtin {
		names[i] = one.name
	}
	return append(names, Auto)
}

func openNamed(name, project string, settings *config.Settings, logger *slog.Logger) (Runtime, error) {
	for _, one := range builtin {
		if one.name == name {
			return one.open(settings, logger)
		}
	}
	return OpenPlugin(name, project, logger)
}

func openDocker(settings *config.Settings, logger *slog.Logger) (Runtime, error) {
	return docker.Open(docker.Options{
		Host: settings.Runtimes.Docker.Host, Context: settings.Runtimes.Docker.Context,
		AnswerTimeout: settings.Timeouts.Engine, Logger: logger,
	})
}

const processName = "process"

// SuperviseCommand is the hidden command by which the program becomes the
// supervisor of processes; see plugins/process.
const SuperviseCommand = "supervise-processes"

// Supervise is what that command does, with its one argument.
func Supervise(dir string) error { return process.Supervise(dir) }

func openProcess(_ *config.Settings, logger *slog.Logger) (*process.Runtime, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return process.Open(process.Options{Supervisor: []string{program, SuperviseCommand}, Logger: logger})
}
