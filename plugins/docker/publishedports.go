package docker

import (
	"context"
	"net"
	"net/url"
	"strconv"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/go-connections/nat"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// PublishedPorts implements sdk.PortFinder.
func (r *Runtime) PublishedPorts(ctx context.Context) ([]sdk.PublishedPort, error) {
	running, err := r.api.ContainerList(ctx, container.ListOptions{})
	if err != nil {
		return nil, r.typed("list ports", "", err)
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

// local says whether the engine runs on this machine, as far as its address
// tells, so that it sees the same files.
func (r *Runtime) local() bool {
	address, err := url.Parse(r.address)
	if err != nil || address.Scheme == "unix" {
		return true
	}
	host := address.Hostname()
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
