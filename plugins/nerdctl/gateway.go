package nerdctl

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"slices"
	"strings"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// hostGateway stands for the machine's address in a spec.
const hostGateway = "host-gateway"

// runSpec creates and starts the container. podman before 4.7 doesn't know the
// word for the machine's address, and is then given the address itself.
func (r *Runtime) runSpec(ctx context.Context, spec sdk.Spec, c call) ([]byte, error) {
	output, err := r.run(ctx, c)
	if err == nil || !strings.Contains(err.Error(), `invalid IP address in add-host: "`+hostGateway+`"`) {
		return output, err
	}
	gateway, lookErr := r.gatewayOf(ctx, spec.Network)
	if lookErr != nil || !gateway.IsValid() {
		return nil, unsupported(spec, "extra_hosts", "this version of "+r.dialect.name+" doesn't know "+hostGateway+", and its network tells no gateway")
	}
	c.args = slices.Clone(c.args)
	for i, arg := range c.args {
		if name, is := strings.CutSuffix(arg, ":"+hostGateway); is && i > 0 && c.args[i-1] == "--add-host" {
			c.args[i] = name + ":" + gateway.Addr().String()
		}
	}
	return r.run(ctx, c)
}

// gatewayOf is the address that the machine has on a network, and its prefix; ""
// is podman's default network. It is the zero prefix if the network tells none.
func (r *Runtime) gatewayOf(ctx context.Context, network string) (netip.Prefix, error) {
	if network == "" {
		network = "podman"
	}
	output, err := r.run(ctx, call{op: "network", args: []string{"network", "inspect", network}})
	if err != nil {
		return netip.Prefix{}, err
	}
	type part struct{ Subnet, Gateway string }
	var found []struct {
		Subnets []part                  // podman's
		IPAM    struct{ Config []part } // everybody else's
	}
	if err := json.Unmarshal(output, &found); err != nil {
		return netip.Prefix{}, r.rubbish("network", output, err)
	}
	for _, one := range found {
		for _, part := range slices.Concat(one.Subnets, one.IPAM.Config) {
			subnet, err := netip.ParsePrefix(part.Subnet)
			if err != nil {
				continue
			}
			if gateway, err := netip.ParseAddr(part.Gateway); err == nil {
				return netip.PrefixFrom(gateway, subnet.Bits()), nil
			}
		}
	}
	return netip.Prefix{}, nil
}

// dockerDesktop is how its engine names its system. It runs in a machine of its
// own.
const dockerDesktop = "Docker Desktop"

// Gateway implements sdk.Gatewayer.
func (r *Runtime) Gateway(ctx context.Context, network string) (netip.Prefix, error) {
	output, err := r.run(ctx, call{op: "network", args: []string{"info", "--format", "{{json .}}"}})
	if err != nil {
		return netip.Prefix{}, err
	}
	var info struct {
		OperatingSystem string
		SecurityOptions []string
		Host            struct{ Security struct{ Rootless bool } } // podman's
	}
	if err := json.Unmarshal(output, &info); err != nil {
		return netip.Prefix{}, r.rubbish("network", output, err)
	}
	if info.OperatingSystem == dockerDesktop {
		return netip.Prefix{}, nil
	}
	if info.Host.Security.Rootless || slices.Contains(info.SecurityOptions, "name=rootless") {
		return netip.Prefix{}, &sdk.Error{
			Code: sdk.CodeUnsupported, Op: "network", Err: errors.New("the engine runs without root, in a network of its own, whose containers can't be led to this machine"),
			Hint: "have the process listen on all addresses, and say so: ports: [\"0.0.0.0:8080\"]",
		}
	}
	gateway, err := r.gatewayOf(ctx, network)
	if err == nil && !gateway.IsValid() {
		err = sdk.Errorf(sdk.CodeUnsupported, "network", "the network %s tells no gateway", network)
	}
	return gateway, err
}
