package docker

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/network"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// hostGateway stands for the machine's address in a spec.
const hostGateway = ":host-gateway"

// extraHosts are the container's, as the engine understands them: podman before
// 4.7 takes the word for the machine's address for an address, so it is given
// the gateway of the container's network.
func (r *Runtime) extraHosts(ctx context.Context, spec sdk.Spec) ([]string, error) {
	if !slices.ContainsFunc(spec.ExtraHosts, func(host string) bool { return strings.HasSuffix(host, hostGateway) }) {
		return spec.ExtraHosts, nil
	}
	info, err := r.engine(ctx)
	if err != nil {
		return nil, r.typed(ctx, "start", spec.Resource, err)
	}
	if info.Name != "podman" || !olderThan(info.Version, 4, 7) {
		return spec.ExtraHosts, nil
	}
	gateway, err := r.gatewayOf(ctx, spec.Network)
	if err != nil {
		return nil, r.typed(ctx, "start", spec.Resource, err)
	}
	if !gateway.IsValid() {
		e := sdk.Errorf(sdk.CodeUnsupported, "start", "extra_hosts: podman %s doesn't know host-gateway, and its network tells no gateway", info.Version)
		e.Resource = spec.Resource
		return nil, e
	}
	hosts := slices.Clone(spec.ExtraHosts)
	for i, host := range hosts {
		if name, is := strings.CutSuffix(host, hostGateway); is {
			hosts[i] = name + ":" + gateway.Addr().String()
		}
	}
	return hosts, nil
}

// dockerDesktop is how its engine names its system. It runs in a machine of its
// own.
const dockerDesktop = "Docker Desktop"

// Gateway implements sdk.Gatewayer.
func (r *Runtime) Gateway(ctx context.Context, name string) (netip.Prefix, error) {
	info, err := r.api.Info(ctx)
	if err != nil {
		return netip.Prefix{}, r.typed(ctx, "network", "", err)
	}
	if info.OperatingSystem == dockerDesktop || !r.local {
		return netip.Prefix{}, nil
	}
	if slices.Contains(info.SecurityOptions, "name=rootless") {
		return netip.Prefix{}, &sdk.Error{
			Code: sdk.CodeUnsupported, Op: "network", Err: errors.New("the engine runs without root, in a network of its own, whose containers can't be led to this machine"),
			Hint: "have the process listen on all addresses, and say so: ports: [\"0.0.0.0:8080\"]",
		}
	}
	gateway, err := r.gatewayOf(ctx, name)
	if err == nil && !gateway.IsValid() {
		err = sdk.Errorf(sdk.CodeUnsupported, "network", "the network %s tells no gateway", name)
	}
	return gateway, r.typed(ctx, "network", "", err)
}

// gatewayOf is the address that the machine has on a network, and its prefix; ""
// is podman's default network. It is the zero prefix if the network tells none.
func (r *Runtime) gatewayOf(ctx context.Context, name string) (netip.Prefix, error) {
	if name == "" {
		name = "podman"
	}
	seen, err := r.api.NetworkInspect(ctx, name, network.InspectOptions{})
	if err != nil {
		return netip.Prefix{}, err
	}
	for _, part := range seen.IPAM.Config {
		subnet, err := netip.ParsePrefix(part.Subnet)
		if err != nil {
			continue
		}
		if gateway, err := netip.ParseAddr(part.Gateway); err == nil {
			return netip.PrefixFrom(gateway, subnet.Bits()), nil
		}
	}
	return netip.Prefix{}, nil
}

// olderThan says whether a version such as 4.3.1 is older than that. One that
// can't be read isn't.
func olderThan(version string, major, minor int) bool {
	var a, b int
	if _, err := fmt.Sscanf(version, "%d.%d", &a, &b); err != nil {
		return false
	}
	return a < major || a == major && b < minor
}
