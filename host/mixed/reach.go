package mixed

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Processes and containers are at two places, and reach each other: a process
// finds a container at its published port, which takes nothing here, and a
// container finds a process at the gateway of its own network, to which the
// process's runtime has to listen.

// hostGateway stands for the machine's address in a spec.
const hostGateway = ":host-gateway"

// onLinux says that containers run on this machine. Elsewhere, they run in one of
// their own, and its engine leads them here.
const onLinux = runtime.GOOS == "linux"

// Start implements sdk.Runtime.
func (r *Runtime) Start(ctx context.Context, spec sdk.Spec) (string, error) {
	member, err := r.of(spec)
	if err != nil {
		return "", err
	}
	start := r.startContainer
	if _, gatekeeper := member.Runtime.(sdk.Gatekeeper); gatekeeper && spec.Network != "" {
		start = r.startProcess
	}
	id, err := start(ctx, member, spec)
	if err == nil {
		r.owners.Store(id, member.Runtime)
	}
	return id, err
}

// startContainer starts what isn't to be reached by containers of other members.
// If it wants to reach this machine, it is told the address that it has on its
// network, and the gates there are opened: the network may be another one than
// when the processes were started.
func (r *Runtime) startContainer(ctx context.Context, member Member, spec sdk.Spec) (string, error) {
	gatewayer, tells := member.Runtime.(sdk.Gatewayer)
	if !onLinux || !tells || !slices.ContainsFunc(spec.ExtraHosts, wantsGateway) {
		return member.Runtime.Start(ctx, spec)
	}
	gateway, err := gatewayer.Gateway(ctx, spec.Network)
	if sdk.IsCode(err, sdk.CodeUnsupported) || err == nil && !gateway.IsValid() {
		return member.Runtime.Start(ctx, spec) // the engine knows the way, or there is none
	}
	if err != nil {
		return "", forResource(spec, err)
	}
	spec.ExtraHosts = slices.Clone(spec.ExtraHosts)
	for i, host := range spec.ExtraHosts {
		if name, is := strings.CutSuffix(host, hostGateway); is {
			spec.ExtraHosts[i] = name + ":" + gateway.Addr().String()
		}
	}
	gateways, err := r.gateways(ctx, spec.Network)
	if err != nil {
		return "", forResource(spec, err)
	}
	for _, other := range r.members {
		keeper, ok := other.Runtime.(sdk.Gatekeeper)
		if !ok {
			continue
		}
		if err := keeper.OpenGates(ctx, spec.Project, gateways); err != nil {
			return "", forResource(spec, err)
		}
	}
	return member.Runtime.Start(ctx, spec)
}

func wantsGateway(host string) bool { return strings.HasSuffix(host, hostGateway) }

// cleanUpTimeout bounds the removal of a process to which no gate could be opened.
const cleanUpTimeout = 10 * time.Second

// startProcess starts what the containers of a network have to reach.
func (r *Runtime) startProcess(ctx context.Context, member Member, spec sdk.Spec) (string, error) {
	gateways, err := r.gateways(ctx, spec.Network)
	if err != nil {
		return "", forResource(spec, err)
	}
	id, err := member.Runtime.Start(ctx, spec)
	if err != nil || len(gateways) == 0 {
		return id, err
	}
	err = member.Runtime.(sdk.Gatekeeper).OpenGates(ctx, spec.Project, gateways) //nolint:forcetypeassert // Start has checked it
	if err == nil {
		return id, nil
	}
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUpTimeout)
	defer cancel()
	if remover, ok := member.Runtime.(sdk.Remover); ok {
		err = errors.Join(err, remover.Remove(after, id))
	}
	return "", forResource(spec, err)
}

// gateways are this machine's addresses on a network that more than one member
// may have.
func (r *Runtime) gateways(ctx context.Context, network string) ([]netip.Prefix, error) {
	if !onLinux {
		return nil, nil
	}
	found := make([]netip.Prefix, len(r.members))
	err := each(r, func(i int, gatewayer sdk.Gatewayer) error {
		var err error
		found[i], err = gatewayer.Gateway(ctx, network)
		return err
	})
	return slices.DeleteFunc(found, func(gateway netip.Prefix) bool { return !gateway.IsValid() }), err
}

// forResource puts the resource into an error.
func forResource(spec sdk.Spec, err error) error {
	e := &sdk.Error{Code: sdk.CodeOf(err), Op: "start", Resource: spec.Resource, Err: err}
	if cause, ok := errors.AsType[*sdk.Error](err); ok {
		e.Hint = cause.Hint
	}
	return e
}

// reachable refuses a process that a container can't reach: its engine is none
// that tells where it would have to be led.
func (r *Runtime) reachable(member Member, spec sdk.Spec) error {
	if _, gatekeeper := member.Runtime.(sdk.Gatekeeper); !gatekeeper || spec.Network == "" || !onLinux {
		return nil
	}
	for _, other := range r.members {
		_, networks := other.Runtime.(sdk.Networker)
		_, tells := other.Runtime.(sdk.Gatewayer)
		if networks && !tells {
			return &sdk.Error{
				Code: sdk.CodeUnsupported, Op: "validate", Resource: spec.Resource,
				Err:  fmt.Errorf("it listens on the loopback address, to which containers of the runtime %s can't be led", other.Name),
				Hint: "have it listen on all addresses, and say so: ports: [\"0.0.0.0:8080\"]",
			}
		}
	}
	return nil
}
