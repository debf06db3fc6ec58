package docker

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/docker/docker/api/types"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Ping implements sdk.Pinger.
func (r *Runtime) Ping(ctx context.Context) (sdk.Info, error) {
	if _, err := r.negotiated(ctx); err != nil {
		return sdk.Info{}, r.typed(ctx, "ping", "", err)
	}
	version, err := r.api.ServerVersion(ctx)
	if err != nil {
		return sdk.Info{}, r.typed(ctx, "ping", "", err)
	}
	name := "docker"
	for _, component := range version.Components {
		if component.Name == "Podman Engine" {
			name = "podman"
		}
	}
	return sdk.Info{
		Name: name, Version: version.Version, APIVersion: r.api.ClientVersion(),
		Address: r.address, OS: version.Os, Arch: version.Arch,
	}, nil
}

// engine is what Ping answers, asked for once.
func (r *Runtime) engine(ctx context.Context) (sdk.Info, error) {
	if known := r.known.Load(); known != nil {
		return *known, nil
	}
	info, err := r.Ping(ctx)
	if err == nil {
		r.known.Store(&info)
	}
	return info, err
}

// negotiation remembers what the engine said of itself. The client negotiates
// by itself too, but only when it sends a request; what a request says may
// depend on the version.
type negotiation struct {
	mu     sync.Mutex
	answer atomic.Pointer[types.Ping]
}

// negotiated agrees with the engine on a version of its API, once. After it,
// the client's version doesn't change any more.
func (r *Runtime) negotiated(ctx context.Context) (*types.Ping, error) {
	if answer := r.version.answer.Load(); answer != nil {
		return answer, nil
	}
	r.version.mu.Lock()
	defer r.version.mu.Unlock()
	if answer := r.version.answer.Load(); answer != nil {
		return answer, nil
	}
	answer, err := r.api.Ping(ctx)
	if err != nil {
		return nil, err
	}
	r.api.NegotiateAPIVersionPing(answer)
	r.version.answer.Store(&answer)
	return &answer, nil
}
