package main

import (
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/go-connections/nat"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// container is what the engine is told, with all that LightShuttle tells it:
// the engine's own healthcheck, which goes on after the start, and as many
// labels.
func (f *floor) container(one service) (*container.Config, *container.HostConfig, *network.NetworkingConfig) {
	project := f.stack.Project
	configuration := &container.Config{Image: one.Image, Cmd: one.Command, Labels: floorLabels(project, one)}
	for name, value := range one.Env {
		configuration.Env = append(configuration.Env, name+"="+value)
	}
	if one.Check != nil {
		configuration.Healthcheck = &container.HealthConfig{
			Test: append([]string{"CMD"}, one.Check.Test...), Interval: one.Check.Interval, Timeout: one.Check.Timeout,
			StartPeriod: one.Check.Start, Retries: one.Check.Retries,
		}
	}
	host := &container.HostConfig{NetworkMode: container.NetworkMode(project)}
	if one.Postgres {
		configuration.ExposedPorts = nat.PortSet{"5432/tcp": {}}
		host.PortBindings = nat.PortMap{"5432/tcp": {{HostIP: "127.0.0.1"}}}
	}
	return configuration, host, &network.NetworkingConfig{EndpointsConfig: map[string]*network.EndpointSettings{
		project: {Aliases: []string{one.Name}},
	}}
}

// floorLabels are the labels of a manifest's container. Nobody reads the last
// three; they only weigh as much.
func floorLabels(project string, one service) map[string]string {
	kind := "container"
	if one.Postgres {
		kind = "postgres"
	}
	labels := map[string]string{
		sdk.LabelProject: project, sdk.LabelResource: one.Name, sdk.LabelKind: kind,
		sdk.LabelHash: "floor", sdk.LabelRun: "floor", sdk.LabelParts: "floor",
	}
	if len(one.Needs) > 0 {
		labels[sdk.LabelDependsOn] = strings.Join(one.Needs, ",")
	}
	return labels
}
