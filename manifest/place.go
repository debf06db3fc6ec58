package manifest

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// A resource is at one of two places: in a container, on the project's network,
// or on this machine, as a process. Outputs are rendered for who uses them: a
// process reaches a container at its published port, and a container reaches a
// process at the machine's address.

// ProcessRuntime is the runtime of processes.
const ProcessRuntime = "process"

// GatewayHost is the name under which a container finds this machine.
const GatewayHost = "host.lightshuttle.internal"

// onHost says whether the resource is a process on this machine.
func (r *Resource) onHost() bool {
	return r.Process != nil || r.Job != nil && !r.Job.Image.Set
}

// runtime is the runtime that the resource asks for, or "".
func (r *Resource) runtime() string {
	if r.onHost() {
		return ProcessRuntime
	}
	return r.common().Runtime.Value
}

// Runtimes are the runtimes that the resources ask for, each once, sorted; ""
// stands for the one of the settings.
func (m *Manifest) Runtimes() []string {
	var names []string
	for _, r := range m.Resources {
		names = append(names, r.runtime())
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// containerFields are the fields that a process shares with containers.
func (p *Process) containerFields() *ContainerFields {
	return &ContainerFields{
		Command: p.Command, WorkingDir: p.WorkingDir, Env: p.Env, EnvFile: p.EnvFile, Secrets: p.Secrets,
		Ports: PortList(p.Ports), Scheme: p.Scheme,
	}
}

// place reports what doesn't fit to where the resource runs.
func (c *checker) place(r *Resource) {
	runtime := r.common().Runtime
	if runtime.Set && strings.TrimSpace(runtime.Value) == "" {
		c.errorf(runtime.At, "leave it out for that of the settings", "`runtime` is empty")
		return
	}
	if !r.onHost() {
		if runtime.Value == ProcessRuntime {
			c.errorf(runtime.At, "use the kind process, or job without an image", "%s `%s` is a container, which the runtime process can't run", r.Kind, r.Name)
		}
		return
	}
	if runtime.Set && runtime.Value != ProcessRuntime {
		c.errorf(runtime.At, "leave it out, or give it a container's kind", "%s `%s` is a process on this machine, which the runtime %s can't run", r.Kind, r.Name, runtime.Value)
	}
	if pull := r.common().Pull; pull.Set {
		c.errorf(pull.At, "leave it out", "%s `%s` has no image to pull", r.Kind, r.Name)
	}
	command := r.containerFields().Command
	switch {
	case r.Job != nil && !command.Set:
		c.errorf(r.At, "give it a command to run on this machine, or an image", "job `%s` has neither command nor image", r.Name)
	case command.Set && (len(command.Args) == 0 || strings.TrimSpace(command.Args[0].Value) == ""):
		c.errorf(command.At, "a program with its arguments", "`command` is empty")
	}
	if r.Job != nil {
		c.onlyInContainers(r)
	}
}

// onlyInContainers reports the fields of a job on this machine that only a
// container can have.
func (c *checker) onlyInContainers(r *Resource) {
	fields := &r.Job.ContainerFields
	for _, field := range []struct {
		name  string
		given bool
	}{
		{"entrypoint", fields.Entrypoint.Set},
		{"user", fields.User.Set},
		{"ports", len(fields.Ports) > 0},
		{"volumes", len(fields.Volumes) > 0},
		{"tmpfs", len(fields.Tmpfs) > 0},
		{"init", fields.Init.Set},
		{"limits", fields.Limits != Limits{}},
	} {
		if field.given {
			c.errorf(r.At, "leave it out, or give the job an image", "job `%s` runs on this machine, where it can't have `%s`", r.Name, field.name)
		}
	}
}

// checkedPort reports a network check that has no port to check.
func (c *checker) checkedPort(r *Resource) {
	check := r.common().Healthcheck
	fields := r.containerFields()
	if fields == nil || len(fields.Ports) > 0 {
		return
	}
	if check.HTTP.Given && !check.HTTP.Port.Set || check.TCP.Given && !check.TCP.Port.Set {
		c.errorf(check.At, "say which, or give `"+r.Name+"` ports", "`healthcheck` needs a `port`")
	}
}

// usedFrom are the resources that processes depend on, or those that containers
// do.
func usedFrom(resources []*Resource, host bool) map[string]bool {
	used := map[string]bool{}
	for _, r := range resources {
		if r.onHost() != host {
			continue
		}
		for _, need := range r.needs {
			used[need.Resource] = true
		}
	}
	return used
}

// outputsOf are the outputs of a resource as the one that is being resolved sees
// them.
func (r *resolver) outputsOf(target *StackResource) []Output {
	if target.onHost() == r.onHost {
		return target.Outputs
	}
	return r.abroad[target.Name]
}

func (s *StackResource) onHost() bool { return s.Spec.Runtime == ProcessRuntime }

// process resolves what runs on this machine.
func (r *resolver) process(from *ContainerFields, to *StackResource) {
	spec := &to.Spec
	spec.Command = r.openCommand(from.Command)
	spec.WorkingDir = absolute(r.manifest.Dir, r.textOr(from.WorkingDir, "."))
	for i, listened := range from.Ports {
		port := listened.Port
		if port.HostPort == 0 {
			port.HostPort = r.freePort(to.Name, i)
		}
		port.ContainerPort = port.HostPort
		spec.Ports = append(spec.Ports, port)
	}
	if r.usedFromContainers[to.Name] && slices.ContainsFunc(spec.Ports, Port.NeedsGate) {
		spec.Network = NetworkName(spec.Project)
	}
	r.environment(from, spec)
	if _, written := spec.Env["PORT"]; !written && len(spec.Ports) > 0 {
		setEnv(spec, "PORT", strconv.Itoa(int(spec.Ports[0].HostPort)), false)
	}
	ports := make([]uint16, len(spec.Ports))
	for i, port := range spec.Ports {
		ports[i] = port.HostPort
	}
	to.Outputs = portOutputs(reachableAt(spec.Ports), ports, from.Scheme)
	r.abroad[to.Name] = portOutputs(GatewayHost, ports, from.Scheme)
}

// openCommand resolves a command that everybody on this machine can read.
func (r *resolver) openCommand(from Command) []string {
	for _, arg := range from.Args {
		if _, secret := r.text(arg); secret {
			r.warnf(arg.At, "give it as a variable, with env or secrets", "a secret in a command can be read by everybody on this machine")
		}
	}
	return r.command(from)
}

// job resolves what runs once.
func (r *resolver) job(from *Job, to *StackResource) {
	if !r.onHost {
		to.Spec.Image = r.image(from.Image)
		r.container(&from.ContainerFields, to)
		return
	}
	r.process(&from.ContainerFields, to)
}

// publishedPort is a port of a container as it is to be published. Where a
// process uses it, a free port is chosen now: the process has to be told.
func (r *resolver) publishedPort(resource string, index int, port Port) Port {
	if port.HostPort == 0 && r.usedFromHost[resource] {
		port.HostPort = r.freePort(resource, index)
	}
	return port
}

// freePort chooses a port of this machine; each of a resource has a key.
func (r *resolver) freePort(resource string, index int) uint16 {
	if r.in.HostPort == nil {
		return 0
	}
	if index > 0 {
		resource += "." + strconv.Itoa(index)
	}
	return r.in.HostPort(resource, 0)
}

// reachableAt is where this machine reaches what listens on the first port.
func reachableAt(ports []Port) string {
	if len(ports) == 0 {
		return loopback
	}
	address, err := netip.ParseAddr(ports[0].HostIP)
	if err != nil || address.IsUnspecified() {
		return loopback
	}
	return address.String()
}

// checkPort puts the first port into a check that has none.
func (r *resolver) checkPort(to *StackResource) {
	check := to.Spec.Healthcheck
	if check == nil || len(to.Spec.Ports) == 0 {
		return
	}
	first := to.Spec.Ports[0].ContainerPort
	if check.HTTP != nil && check.HTTP.Port == 0 {
		check.HTTP.Port = first
	}
	if check.TCP != nil && check.TCP.Port == 0 {
		check.TCP.Port = first
	}
}

// reachHost lets a container find this machine, if it uses a process there.
func (r *resolver) reachHost(from *Resource, to *StackResource) {
	if r.onHost {
		return
	}
	for _, need := range from.needs {
		target := r.resolved[need.Resource]
		if target == nil || !target.onHost() || len(target.Spec.Ports) == 0 {
			continue
		}
		to.Spec.ExtraHosts = []string{GatewayHost + ":host-gateway"}
		first := target.Spec.Ports[0]
		if first.OnLoopback() && !first.NeedsGate() {
			r.warnf(need.At, "have it listen on all addresses, and say so: ports: [\"0.0.0.0:"+strconv.Itoa(int(first.HostPort))+"/udp\"]",
				"`%s` listens on %s, where the container `%s` can't reach it by UDP", target.Name, first.HostIP, to.Name)
		}
	}
}
