package nerdctl

import (
	"bytes"
	"encoding/csv"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// runCall translates a spec to the command that creates and starts its
// container, or refuses what the engine can't honour.
func (r *Runtime) runCall(spec sdk.Spec) (call, error) {
	if err := r.checkSpec(spec); err != nil {
		return call{}, err
	}
	env, bad := environment(spec.Env)
	if bad != "" {
		return call{}, unsupported(spec, "env."+bad, r.dialect.name+" can't be given such a value for a variable of this name")
	}
	args := []string{"run", "--detach", "--name", spec.Name, "--pull", "never"}
	args = append(args, r.identity(spec)...)
	args = append(args, env.args...)
	args = append(args, ports(spec.Ports)...)
	args = append(args, r.mounts(spec.Mounts)...)
	args = append(args, limits(spec.Limits)...)
	args = append(args, r.stops(spec)...)
	if spec.Healthcheck != nil {
		// What is to be checked, the program checks; see the package's docs.
		args = append(args, "--no-healthcheck")
	}
	entrypoint, command := program(spec)
	args = append(append(args, entrypoint...), spec.Image)
	args = append(args, command...)
	return call{op: "start", resource: spec.Resource, args: args, stdin: env.stdin, env: env.env, slow: true}, nil
}

// checkSpec refuses what this engine can't honour.
func (r *Runtime) checkSpec(spec sdk.Spec) error {
	if strings.HasPrefix(spec.Image, "-") || spec.Image == "" {
		return sdk.Errorf(sdk.CodeInvalid, "start", "%q is no image", spec.Image)
	}
	if !r.dialect.aliases {
		for _, alias := range spec.Aliases {
			if alias != spec.Name && alias != r.hostname(spec) {
				return unsupported(spec, "aliases", r.dialect.name+" gives a container one name on a network, which is its hostname: "+alias+" isn't it")
			}
		}
	}
	published := map[string]bool{}
	for _, port := range spec.Ports {
		name := strconv.Itoa(int(port.ContainerPort)) + "/" + strings.TrimPrefix(string(port.Protocol), string(sdk.TCP))
		if published[name] && r.dialect.onePort {
			return unsupported(spec, "ports", r.dialect.name+" publishes port "+strconv.Itoa(int(port.ContainerPort))+" of a container once")
		}
		published[name] = true
	}
	for _, m := range spec.Mounts {
		short := m.Type == sdk.MountTmpfs || r.special(m)
		if short && strings.Contains(m.Source+m.Target, ":") {
			return unsupported(spec, "mounts", r.dialect.name+" can't be given the path "+m.Source+m.Target)
		}
	}
	return nil
}

// hostname is the one that the container gets where others find it by that.
func (r *Runtime) hostname(spec sdk.Spec) string {
	if spec.Hostname != "" || r.dialect.aliases || len(spec.Aliases) == 0 {
		return spec.Hostname
	}
	return spec.Aliases[0]
}

// identity are who the container is, and where others find it.
func (r *Runtime) identity(spec sdk.Spec) []string {
	var args []string
	labels := spec.EngineLabels()
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		args = append(args, "--label", name+"="+labels[name])
	}
	if hostname := r.hostname(spec); hostname != "" {
		args = append(args, "--hostname", hostname)
	}
	if spec.Network != "" {
		args = append(args, "--network", spec.Network)
		for _, alias := range spec.Aliases {
			if r.dialect.aliases {
				args = append(args, "--network-alias", alias)
			}
		}
	}
	for _, host := range spec.ExtraHosts {
		args = append(args, "--add-host", host)
	}
	if spec.User != "" {
		args = append(args, "--user", spec.User)
	}
	if spec.WorkingDir != "" {
		args = append(args, "--workdir", spec.WorkingDir)
	}
	if spec.Init {
		args = append(args, "--init")
	}
	return args
}

// labelsOf makes sure of the labels by which a container is found again.
func ports(published []sdk.PortBinding) []string {
	var args []string
	for _, binding := range published {
		host := binding.HostIP
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		hostPort := ""
		if binding.HostPort != 0 {
			hostPort = strconv.Itoa(int(binding.HostPort))
		}
		protocol := binding.Protocol
		if protocol == "" {
			protocol = sdk.TCP
		}
		args = append(args, "--publish", host+":"+hostPort+":"+strconv.Itoa(int(binding.ContainerPort))+"/"+string(protocol))
	}
	return args
}

func (r *Runtime) mounts(all []sdk.Mount) []string {
	var args []string
	for _, m := range all {
		if m.Type == sdk.MountTmpfs {
			options := m.Options
			if m.ReadOnly {
				options = strings.Trim("ro,"+options, ",")
			}
			args = append(args, "--tmpfs", strings.TrimSuffix(m.Target+":"+options, ":"))
			continue
		}
		if r.special(m) {
			args = append(args, "--volume", shortMount(m))
			continue
		}
		fields := []string{"type=" + string(m.Type), "target=" + m.Target}
		if m.Source != "" {
			fields = append(fields, "source="+m.Source)
		}
		if m.ReadOnly {
			fields = append(fields, "ro")
		}
		args = append(args, "--mount", commaSeparated(fields))
	}
	return args
}

// special says whether the paths need quotes in --mount, which the program
// doesn't understand.
func (r *Runtime) special(m sdk.Mount) bool {
	return !r.dialect.quotes && strings.ContainsAny(m.Source+m.Target, "\",\n")
}

func shortMount(m sdk.Mount) string {
	text := m.Target
	if m.Source != "" {
		text = m.Source + ":" + text
	}
	if m.ReadOnly {
		text += ":ro"
	}
	return text
}

// commaSeparated quotes as the programs expect it of --mount.
func commaSeparated(fields []string) string {
	var line bytes.Buffer
	w := csv.NewWriter(&line)
	_ = w.Write(fields)
	w.Flush()
	return strings.TrimSuffix(line.String(), "\n")
}

func limits(l sdk.Limits) []string {
	var args []string
	if l.NanoCPUs > 0 {
		args = append(args, "--cpus", strconv.FormatFloat(float64(l.NanoCPUs)/1e9, 'f', -1, 64))
	}
	if l.MemoryBytes > 0 {
		// Without the second the container could use as much again as swap.
		bytes := strconv.FormatInt(l.MemoryBytes, 10)
		args = append(args, "--memory", bytes, "--memory-swap", bytes)
	}
	if l.PIDs > 0 {
		args = append(args, "--pids-limit", strconv.FormatInt(l.PIDs, 10))
	}
	return args
}

// stops are how the container ends, and what the engine does then.
func (r *Runtime) stops(spec sdk.Spec) []string {
	var args []string
	if spec.Stop.Signal != "" {
		args = append(args, "--stop-signal", spec.Stop.Signal)
	}
	if spec.Stop.Grace > 0 {
		// For who stops the container by other means than this program.
		args = append(args, "--stop-timeout", strconv.Itoa(wholeSeconds(spec.Stop.Grace.Std())))
	}
	if spec.Restart.Mode != "" {
		args = append(args, "--restart", r.restartPolicy(spec.Restart))
	}
	return args
}

func (r *Runtime) restartPolicy(policy sdk.RestartPolicy) string {
	if policy.Mode == "" {
		return string(sdk.RestartNo)
	}
	if policy.Mode == sdk.RestartAlways && r.dialect.name == "docker" {
		return "unless-stopped" // its "always" starts even what the user has stopped
	}
	if policy.Mode == sdk.RestartOnFailure && policy.MaxRetries > 0 {
		return string(policy.Mode) + ":" + strconv.Itoa(policy.MaxRetries)
	}
	return string(policy.Mode)
}

// program splits an entrypoint, of which the programs take one word, and moves
// the others before the command.
func program(spec sdk.Spec) (entrypoint, command []string) {
	if spec.Entrypoint == nil {
		return nil, spec.Command
	}
	if len(spec.Entrypoint) == 0 {
		return []string{"--entrypoint", ""}, spec.Command
	}
	return []string{"--entrypoint", spec.Entrypoint[0]}, append(slices.Clone(spec.Entrypoint[1:]), spec.Command...)
}

// wholeSeconds rounds up, so that a short grace never becomes none.
func wholeSeconds(d time.Duration) int {
	if d <= 0 {
		return 0
	}
	return int((d-1)/time.Second) + 1
}
