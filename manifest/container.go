package manifest

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// dockerfile resolves what a build needs.
func (r *resolver) dockerfile(from *Dockerfile, to *StackResource) {
	context := r.plain(from.Context)
	if strings.TrimSpace(context) == "" {
		r.errorf(from.Context.At, "write . for the manifest's own folder", "`context` is empty")
	}
	build := &sdk.Build{
		Context: absolute(r.manifest.Dir, context), Target: r.plain(from.Target),
		Labels: map[string]string{sdk.LabelProject: to.Spec.Project, sdk.LabelResource: to.Name},
	}
	build.Dockerfile = absolute(build.Context, r.textOr(from.Dockerfile, "Dockerfile"))
	for _, arg := range from.BuildArgs {
		if build.Args == nil {
			build.Args = map[string]string{}
		}
		value, secret := r.text(arg.Value)
		build.Args[arg.Key] = value
		if secret {
			build.SecretArgs = append(build.SecretArgs, arg.Key)
		}
	}
	to.Spec.Build = build
	to.Spec.Image = buildTag(to.Spec.Project, to.Name)
}

// container resolves the fields that container and dockerfile share.
func (r *resolver) container(from *ContainerFields, to *StackResource) {
	spec := &to.Spec
	spec.Entrypoint = literal(from.Entrypoint)
	spec.Command = r.command(from.Command)
	spec.WorkingDir = r.plain(from.WorkingDir)
	spec.User = r.plain(from.User)
	spec.Init = from.Init.Value
	for i, port := range from.Ports {
		spec.Ports = append(spec.Ports, r.publishedPort(to.Name, i, port.Port))
	}
	r.limits(from.Limits, spec)
	r.environment(from, spec)
	r.mounts(from, to)
	r.containerOutputs(from, to)
}

func (r *resolver) limits(from Limits, spec *sdk.Spec) {
	if from.CPUs.Set {
		spec.Limits.NanoCPUs, _ = parseCPUs(from.CPUs.Value) // checked before
	}
	if from.Memory.Set {
		spec.Limits.MemoryBytes, _ = parseBytes(from.Memory.Value) // checked before
	}
	spec.Limits.PIDs = from.PIDs.Value
}

// environment fills env: what stands in the manifest wins over files.
func (r *resolver) environment(from *ContainerFields, spec *sdk.Spec) {
	for _, file := range from.EnvFile {
		for _, v := range r.readEnvFile(file) {
			setEnv(spec, v.Name, v.Value, true)
		}
	}
	for _, entry := range from.Env {
		value, secret := r.text(entry.Value)
		spec.SecretEnv = slices.DeleteFunc(spec.SecretEnv, func(name string) bool { return name == entry.Key })
		setEnv(spec, entry.Key, value, secret)
	}
	for _, entry := range from.Secrets {
		setEnv(spec, entry.Key, r.plain(entry.Value), true)
	}
}

func (r *resolver) mounts(from *ContainerFields, to *StackResource) {
	targets := map[string]bool{}
	add := func(m sdk.Mount, at span) {
		if targets[m.Target] {
			r.errorf(at, "", "%s is mounted twice", m.Target)
		}
		targets[m.Target] = true
		to.Spec.Mounts = append(to.Spec.Mounts, m)
	}
	for _, text := range from.Volumes {
		volume, err := parseVolume(r.plain(text))
		if err != nil {
			r.errorf(text.At, "", "%v", err)
			continue
		}
		if volume.IsPath {
			add(sdk.Mount{Type: sdk.MountBind, Source: absolute(r.manifest.Dir, volume.Source), Target: volume.Target, ReadOnly: volume.ReadOnly}, text.At)
			continue
		}
		name := r.volume(volumeNameOf(to.Spec.Project, volume.Source), volumeOwner{written: volume.Source}, text.At)
		add(sdk.Mount{Type: sdk.MountVolume, Source: name, Target: volume.Target, ReadOnly: volume.ReadOnly}, text.At)
	}
	for _, text := range from.Tmpfs {
		m, err := parseTmpfs(r.plain(text))
		if err != nil {
			r.errorf(text.At, "", "%v", err)
			continue
		}
		add(m, text.At)
	}
}

// volume notes that a named volume is used. Two different ones must not come
// to share a name.
func (r *resolver) volume(name string, owner volumeOwner, at span) string {
	before, taken := r.volumes[name]
	if taken && before != owner {
		r.errorf(at, "rename one of them", "the volume %s is both %s and %s", name, before, owner)
	}
	r.volumes[name] = owner
	return name
}

func (o volumeOwner) String() string {
	if o.resource != "" {
		return "the data of `" + o.resource + "`"
	}
	return "the volume `" + o.written + "`"
}

func (r *resolver) stackVolumes() []sdk.Volume {
	var volumes []sdk.Volume
	project := r.manifest.Project.Name.Value
	for _, name := range slices.Sorted(maps.Keys(r.volumes)) {
		labels := map[string]string{sdk.LabelProject: project}
		if resource := r.volumes[name].resource; resource != "" {
			labels[sdk.LabelResource] = resource
		}
		volumes = append(volumes, sdk.Volume{Name: name, Project: project, Labels: labels})
	}
	return volumes
}

func (r *resolver) containerOutputs(from *ContainerFields, to *StackResource) {
	inside := make([]uint16, len(to.Spec.Ports))
	published := make([]uint16, len(to.Spec.Ports))
	for i, port := range to.Spec.Ports {
		inside[i], published[i] = port.ContainerPort, port.HostPort
	}
	to.Outputs = portOutputs(hostLabel(to.Name), inside, from.Scheme)
	r.abroad[to.Name] = portOutputs(reachableAt(to.Spec.Ports), published, from.Scheme)
}

// portOutputs are the outputs of a resource that is known by its ports.
func portOutputs(host string, ports []uint16, scheme Text) []Output {
	numbers := make([]string, len(ports))
	for i, port := range ports {
		numbers[i] = strconv.Itoa(int(port))
	}
	outputs := []Output{{Name: "host", Value: host}, {Name: "ports", Value: strings.Join(numbers, ",")}}
	if len(numbers) == 0 {
		return outputs
	}
	outputs = append(outputs, Output{Name: "port", Value: numbers[0]})
	if scheme.Set {
		outputs = append(outputs, Output{Name: "url", Value: scheme.Value + "://" + bracketed(host) + ":" + numbers[0]})
	}
	return outputs
}
