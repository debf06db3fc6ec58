package docker

import (
	"context"
	"strconv"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/go-connections/nat"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// PublishedPorts implements sdk.PortFinder.
func (r *Runtime) PublishedPorts(ctx context.Context) ([]sdk.PublishedPort, error) {
	if _, err := r.negotiated(ctx); err != nil {
		return nil, r.typed(ctx, "list", "", err)
	}
	running, err := r.api.ContainerList(ctx, container.ListOptions{})
	if err != nil {
		return nil, r.typed(ctx, "list", "", err)
	}
	var published []sdk.PublishedPort
	for _, summary := range running {
		for _, port := range summary.Ports {
			if port.PublicPort == 0 {
				continue
			}
			engine := nat.Port(strconv.Itoa(int(port.PrivatePort)) + "/" + port.Type)
			published = append(published, sdk.PublishedPort{
				PortBinding: bindingOf(engine, port.IP, strconv.Itoa(int(port.PublicPort))),
				Container:   firstName(summary), Project: summary.Labels[sdk.LabelProject],
			})
		}
	}
	return published, nil
}

func firstName(summary container.Summary) string {
	if len(summary.Names) == 0 {
		return short(summary.ID)
	}
	return trimSlash(summary.Names[0])
}
