package docker

import (
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/versions"
	"github.com/docker/go-connections/nat"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// startIntervalVersion is the first API version that has a start interval.
const startIntervalVersion = "1.44"

// createConfig translates a spec for the engine.
func createConfig(spec sdk.Spec, apiVersion string) (*container.Config, *container.HostConfig, *network.NetworkingConfig) {
	exposed, bindings := ports(spec.Ports)
	configuration := &container.Config{
		Image:        spec.Image,
		Hostname:     spec.Hostname,
		User:         spec.User,
		Env:          environment(spec.Env),
		Entrypoint:   spec.Entrypoint,
		Cmd:          spec.Command,
		WorkingDir:   spec.WorkingDir,
		Labels:       spec.EngineLabels(),
		StopSignal:   spec.Stop.Signal,
		ExposedPorts: exposed,
		Healthcheck:  healthcheck(spec.Healthcheck, apiVersion),
	}
	host := &container.HostConfig{
		PortBindings:  bindings,
		Mounts:        mounts(spec.Mounts),
		Tmpfs:         tmpfs(spec.Mounts),
		NetworkMode:   container.NetworkMode(spec.Network),
		RestartPolicy: restartPolicy(spec.Restart),
		Resources: container.Resources{
			NanoCPUs: spec.Limits.NanoCPUs,
			Memory:   spec.Limits.MemoryBytes,
			// Without this the container could use as much again as swap.
			MemorySwap: spec.Limits.MemoryBytes,
		},
	}
	if spec.Stop.Grace > 0 {
		// For who stops the container by other means than this program.
		seconds := wholeSeconds(spec.Stop.Grace.Std())
		configuration.StopTimeout = &seconds
	}
	if spec.Init {
		host.Init = &spec.Init
	}
	if spec.Limits.PIDs > 0 {
		host.PidsLimit = &spec.Limits.PIDs
	}
	if spec.Network == "" {
		return configuration, host, nil
	}
	return configuration, host, &network.NetworkingConfig{EndpointsConfig: map[string]*network.EndpointSettings{
		spec.Network: {Aliases: spec.Aliases},
	}}
}

// labelsOf makes sure of the labels by which a container is found again.
func environment(env map[string]string) []string {
	pairs := make([]string, 0, len(env))
	for _, name := range slices.Sorted(maps.Keys(env)) {
		pairs = append(pairs, name+"="+env[name])
	}
	return pairs
}

// ports accumulates: one container port may be published several times.
func ports(published []sdk.PortBinding) (nat.PortSet, nat.PortMap) {
	if len(published) == 0 {
		return nil, nil
	}
	exposed, bindings := nat.PortSet{}, nat.PortMap{}
	for _, binding := range published {
		port := portOf(binding)
		exposed[port] = struct{}{}
		hostPort := ""
		if binding.HostPort != 0 {
			hostPort = strconv.Itoa(int(binding.HostPort))
		}
		bindings[port] = append(bindings[port], nat.PortBinding{HostIP: binding.HostIP, HostPort: hostPort})
	}
	return exposed, bindings
}

func portOf(binding sdk.PortBinding) nat.Port {
	protocol := binding.Protocol
	if protocol == "" {
		protocol = sdk.TCP
	}
	return nat.Port(strconv.Itoa(int(binding.ContainerPort)) + "/" + string(protocol))
}

// bindingOf is the inverse of ports, for one binding.
func bindingOf(port nat.Port, hostIP, hostPort string) sdk.PortBinding {
	number, _ := strconv.ParseUint(hostPort, 10, 16)
	if address, err := netip.ParseAddr(hostIP); err == nil {
		hostIP = address.String()
	}
	return sdk.PortBinding{
		HostIP: hostIP, HostPort: uint16(number),
		ContainerPort: uint16(port.Int()), Protocol: sdk.Protocol(port.Proto()), //nolint:gosec // the engine's own ports fit
	}
}

func mounts(all []sdk.Mount) []mount.Mount {
	var result []mount.Mount
	for _, m := range all {
		if m.Type == sdk.MountTmpfs {
			continue
		}
		result = append(result, mount.Mount{Type: mount.Type(m.Type), Source: m.Source, Target: m.Target, ReadOnly: m.ReadOnly})
	}
	return result
}

// tmpfs has its own field, which takes options as mount(8) does.
func tmpfs(all []sdk.Mount) map[string]string {
	var result map[string]string
	for _, m := range all {
		if m.Type != sdk.MountTmpfs {
			continue
		}
		if result == nil {
			result = map[string]string{}
		}
		options := m.Options
		if m.ReadOnly {
			options = strings.Trim("ro,"+options, ",")
		}
		result[m.Target] = options
	}
	return result
}

// healthcheck gives the engine the checks that it can make itself, so that it
// watches over the container's health when the start is over. The checks that
// the program makes leave the image's own off: two opinions are none.
func healthcheck(check *sdk.Healthcheck, apiVersion string) *container.HealthConfig {
	if check == nil {
		return nil
	}
	if check.Disable || len(check.Test) == 0 {
		return &container.HealthConfig{Test: []string{"NONE"}}
	}
	result := &container.HealthConfig{
		Test:        append([]string{"CMD"}, check.Test...),
		Interval:    atLeastAMillisecond(check.Interval),
		Timeout:     atLeastAMillisecond(check.Timeout),
		StartPeriod: atLeastAMillisecond(check.StartPeriod),
		Retries:     check.Retries,
	}
	if versions.GreaterThanOrEqualTo(apiVersion, startIntervalVersion) {
		result.StartInterval = atLeastAMillisecond(check.StartInterval)
	}
	return result
}

// atLeastAMillisecond keeps to the engine's minimum; zero means its default.
func atLeastAMillisecond(d sdk.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return max(d.Std(), time.Millisecond)
}
