package nerdctl

import "strings"

// dialect is what one command line does differently from the others.
type dialect struct {
	name string
	// aliases says whether it has --network-alias. Without, containers find
	// each other by name and hostname.
	aliases bool
	// namespaced says whether it has --namespace.
	namespaced bool
	// marks says that its events carry no answer to "do you listen yet", and
	// begin no earlier than they listen. Then an event is made to see.
	marks bool
	// resumes says that its events may end while nothing is wrong, and can be had
	// again.
	resumes bool
	// stampsPieces says that its logs have timestamps inside of lines, wherever
	// the program's output came in two reads.
	stampsPieces bool
	// losesFollowed says that a followed log ends with its container, whether or
	// not all of it has been read.
	losesFollowed bool
	// onePort says that it forgets all but one publication of a port.
	onePort bool
	// quotes says whether it understands quotes in --mount.
	quotes bool
	// buildsInTheOpen says that its client starts another one with the values of
	// build arguments on its command line, which everybody can read.
	buildsInTheOpen bool
	// events are the arguments that make it print events as JSON, one a line.
	events []string
	// removeNow are the arguments by which `rm --force` doesn't wait.
	removeNow []string
	// updatesRestart says whether `update` takes --restart.
	updatesRestart bool
	// start says how to bring its engine up.
	start string
	// install says where to get it.
	install string
}

var dialects = map[string]dialect{
	"nerdctl": {
		name: "nerdctl", namespaced: true, marks: true, losesFollowed: true, onePort: true, updatesRestart: true, buildsInTheOpen: true,
		events:  []string{"events", "--format", "{{json .}}"},
		start:   "start containerd (`sudo systemctl start containerd`), or say where it is in nerdctl.toml",
		install: "install nerdctl (https://github.com/containerd/nerdctl), or give its path in the setting runtimes.nerdctl.path",
	},
	"finch": {
		name: "finch", namespaced: true, marks: true, losesFollowed: true, onePort: true, updatesRestart: true, buildsInTheOpen: true,
		events:  []string{"events", "--format", "{{json .}}"},
		start:   "start its machine (`finch vm start`)",
		install: "install finch (https://runfinch.com), or give its path in the setting runtimes.finch.path",
	},
	"podman": {
		name: "podman", aliases: true, resumes: true, stampsPieces: true, quotes: true,
		events:    []string{"events", "--format", "json", "--filter", "type=container"},
		removeNow: []string{"--time", "0"},
		start:     "start its machine where it needs one (`podman machine start`); `podman info` says more",
		install:   "install podman (https://podman.io), or give its path in the setting runtimes.podman.path",
	},
	"docker": {
		name: "docker", aliases: true, quotes: true, updatesRestart: true,
		events:  []string{"events", "--format", "{{json .}}", "--filter", "type=container"},
		start:   "start it (`sudo systemctl start docker`, or Docker Desktop)",
		install: "install docker (https://docs.docker.com/engine/install)",
	},
}

// dialectOf goes by the program's name, such as /usr/local/bin/nerdctl or
// docker.exe. What isn't known is taken for nerdctl.
func dialectOf(program string) dialect {
	base := program[strings.LastIndexAny(program, `/\`)+1:]
	base = strings.TrimSuffix(base, ".exe")
	for name, d := range dialects {
		if strings.HasPrefix(base, name) {
			return d
		}
	}
	return dialects["nerdctl"]
}
