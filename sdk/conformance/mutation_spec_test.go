package conformance

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/fake"
)

// specMutations are those of what a spec asks for, and of what it needs.
var specMutations = []mutation{
	// Spec
	{"the environment is lost", "spec/env", changing(func(spec *sdk.Spec) { spec.Env = nil })},
	{"lines in a variable inject another", "spec/env-lines", changing(func(spec *sdk.Spec) {
		env := map[string]string{}
		for name, value := range spec.Env {
			first, rest, _ := strings.Cut(value, "\n")
			env[name] = first
			if strings.Contains(rest, "INJECTED=1") {
				env["INJECTED"] = "1"
			}
		}
		spec.Env = env
	})},
	{"extra hosts are ignored", "spec/extra-hosts", changing(func(spec *sdk.Spec) { spec.ExtraHosts = nil })},
	{"the user is ignored", "spec/user", changing(func(spec *sdk.Spec) { spec.User = "" })},
	{"the working directory is ignored", "spec/working-dir", changing(func(spec *sdk.Spec) { spec.WorkingDir = "" })},
	{"a working directory isn't made", "spec/working-dir-absent", changing(func(spec *sdk.Spec) {
		if spec.WorkingDir != "/tmp" {
			spec.WorkingDir = ""
		}
	})},
	{"the command goes through a shell", "spec/command", changing(func(spec *sdk.Spec) {
		spec.Command = strings.Fields(strings.Join(spec.Command, " "))
	})},
	{"the entrypoint is ignored", "spec/entrypoint", changing(func(spec *sdk.Spec) {
		if len(spec.Entrypoint) > 0 && spec.Entrypoint[0] == fake.Program {
			spec.Entrypoint = nil
		}
	})},
	{"limits are ignored", "spec/memory", changing(func(spec *sdk.Spec) { spec.Limits.MemoryBytes = 0 })},
	{"a refusal doesn't name its field", "spec/hostname", broken{start: func(b *broken, ctx context.Context, spec sdk.Spec) (string, error) {
		if spec.Hostname != "" {
			return "", sdk.Errorf(sdk.CodeUnsupported, "start", "can't do that")
		}
		return b.Engine.Start(ctx, spec)
	}}},
	{"a refusal comes after the container", "spec/hostname", broken{start: func(b *broken, ctx context.Context, spec sdk.Spec) (string, error) {
		id, err := b.Engine.Start(ctx, spec)
		if err == nil && spec.Hostname != "" {
			return "", sdk.Errorf(sdk.CodeUnsupported, "start", "hostname isn't supported")
		}
		return id, err
	}}},
	{"validate accepts what start refuses", "spec/pids", broken{start: func(b *broken, ctx context.Context, spec sdk.Spec) (string, error) {
		if spec.Limits.PIDs != 0 {
			return "", sdk.Errorf(sdk.CodeUnsupported, "start", "limits.pids isn't supported")
		}
		return b.Engine.Start(ctx, spec)
	}}},
	{"validate refuses what start accepts", "spec/init", broken{validate: func(b *broken, ctx context.Context, spec sdk.Spec) error {
		if spec.Init {
			return sdk.Errorf(sdk.CodeUnsupported, "validate", "init isn't supported")
		}
		return b.Engine.Validate(ctx, spec)
	}}},
	{"validate doesn't look for the image", "validate/no-image", broken{validate: func(*broken, context.Context, sdk.Spec) error { return nil }}},

	// Networks
	{"a network is always said to be created", "network/ensure", broken{ensureNetwork: func(b *broken, ctx context.Context, n sdk.Network) (bool, error) {
		_, err := b.Engine.EnsureNetwork(ctx, n)
		return err == nil, err
	}}},
	{"a foreign network is used", "network/foreign", broken{ensureNetwork: func(b *broken, ctx context.Context, n sdk.Network) (bool, error) {
		created, err := b.Engine.EnsureNetwork(ctx, n)
		if sdk.IsCode(err, sdk.CodeConflict) {
			err = nil
		}
		return created, err
	}}},
	{"a foreign network is removed", "network/foreign", broken{removeNetwork: func(b *broken, ctx context.Context, n sdk.Network) error {
		n.Project = strings.TrimSuffix(n.Project, "x")
		return b.Engine.RemoveNetwork(ctx, n)
	}}},
	{"networks aren't removed", "network/remove", broken{removeNetwork: func(*broken, context.Context, sdk.Network) error { return nil }}},
	{"aliases are ignored", "network/aliases", changing(func(spec *sdk.Spec) { spec.Aliases = nil })},
	{"there is but one network", "network/private", changing(func(spec *sdk.Spec) { spec.Network = strings.TrimSuffix(spec.Network, "-other") })},

	// Prepare
	{"an image that isn't there is prepared", "prepare/no-image", broken{prepared: func(*broken, context.Context, sdk.Spec) (bool, error) { return true, nil }}},
	{"never is ignored", "prepare/never", broken{prepare: func(b *broken, ctx context.Context, spec sdk.Spec, report func(sdk.Progress)) error {
		if err := b.Engine.Prepare(ctx, spec, report); !sdk.IsCode(err, sdk.CodeImageNotFound) {
			return err
		}
		return nil
	}}},
	{"always is ignored", "prepare/always", broken{prepared: func(b *broken, ctx context.Context, spec sdk.Spec) (bool, error) {
		if spec.Pull == sdk.PullAlways {
			spec.Pull = ""
		}
		return b.Engine.Prepared(ctx, spec)
	}}},
	{"progress is never reported", "prepare/pull", broken{prepare: func(b *broken, ctx context.Context, spec sdk.Spec, _ func(sdk.Progress)) error {
		return b.Engine.Prepare(ctx, spec, nil)
	}}},
	{"progress is reported late", "prepare/pull", broken{prepare: func(b *broken, ctx context.Context, spec sdk.Spec, report func(sdk.Progress)) error {
		err := b.Engine.Prepare(ctx, spec, report)
		if report != nil {
			time.AfterFunc(10*time.Millisecond, func() { report(sdk.Progress{Action: "pull"}) })
		}
		return err
	}}},
	{"arguments of a build are ignored", "prepare/build", broken{prepare: func(b *broken, ctx context.Context, spec sdk.Spec, report func(sdk.Progress)) error {
		if spec.Build != nil {
			without := *spec.Build
			without.Args = nil
			spec.Build = &without
		}
		return b.Engine.Prepare(ctx, spec, report)
	}}},
	{"a failed build has no code", "prepare/build-fails", broken{prepare: func(b *broken, ctx context.Context, spec sdk.Spec, report func(sdk.Progress)) error {
		err := b.Engine.Prepare(ctx, spec, report)
		if sdk.IsCode(err, sdk.CodeBuildFailed) {
			return errOops
		}
		return err
	}}},

	// Ports
	{"ports aren't published", "ports/fixed", changing(func(spec *sdk.Spec) { spec.Ports = nil })},
	{"a chosen port isn't told", "ports/chosen", seeing(func(state *sdk.State) {
		for i := range state.Ports {
			state.Ports[i].HostPort = 0
		}
	})},
	{"UDP ports are published as TCP", "ports/udp", changing(func(spec *sdk.Spec) {
		spec.Ports = slices.Clone(spec.Ports)
		for i := range spec.Ports {
			spec.Ports[i].Protocol = sdk.TCP
		}
	})},
	{"the holder of a port isn't named", "ports/found", broken{ports: func(b *broken, ctx context.Context) ([]sdk.PublishedPort, error) {
		ports, err := b.Engine.PublishedPorts(ctx)
		for i := range ports {
			ports[i].Container = ""
		}
		return ports, err
	}}},

	// Volumes
	{"volumes' labels are lost", "volumes/list", broken{listVolumes: func(b *broken, ctx context.Context, project string) ([]sdk.Volume, error) {
		volumes, err := b.Engine.ListVolumes(ctx, project)
		for i := range volumes {
			volumes[i].Labels = nil
		}
		return volumes, err
	}}},
	{"a foreign volume is used", "volumes/foreign", broken{ensureVolume: func(b *broken, ctx context.Context, v sdk.Volume) (bool, error) {
		created, err := b.Engine.EnsureVolume(ctx, v)
		if sdk.IsCode(err, sdk.CodeConflict) {
			err = nil
		}
		return created, err
	}}},
	{"named volumes don't persist", "volumes/persist", changing(func(spec *sdk.Spec) {
		for i, m := range spec.Mounts {
			if m.Type == sdk.MountVolume {
				spec.Mounts = slices.Clone(spec.Mounts)
				spec.Mounts[i].Source = ""
			}
		}
	})},
	{"read-only is ignored", "volumes/read-only", changing(func(spec *sdk.Spec) {
		spec.Mounts = slices.Clone(spec.Mounts)
		for i := range spec.Mounts {
			spec.Mounts[i].ReadOnly = false
		}
	})},
}
