package docker

import (
	"context"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// SetRestart implements sdk.Restarter.
func (r *Runtime) SetRestart(ctx context.Context, id string, policy sdk.RestartPolicy) error {
	if _, err := r.negotiated(ctx); err != nil {
		return r.typed(ctx, "update", "", err)
	}
	_, err := r.api.ContainerUpdate(ctx, id, container.UpdateConfig{RestartPolicy: restartPolicy(policy)})
	if !cerrdefs.IsNotFound(err) {
		return r.typed(ctx, "update", "", err)
	}
	if _, err := r.Inspect(ctx, id); err != nil {
		return err
	}
	// The container is there, so it is the request that the engine doesn't know:
	// older podmans have none for that.
	e := sdk.Errorf(sdk.CodeUnsupported, "update", "this engine can't change the restart policy of a container that is there")
	e.Hint = "recreate it: lightshuttle up --force-recreate"
	return e
}

// restartPolicy translates a policy. The engine's own "always" starts even what
// the user has stopped, when the engine itself starts again; nobody wants that.
func restartPolicy(policy sdk.RestartPolicy) container.RestartPolicy {
	switch policy.Mode {
	case sdk.RestartAlways:
		return container.RestartPolicy{Name: container.RestartPolicyUnlessStopped}
	case sdk.RestartOnFailure:
		return container.RestartPolicy{Name: container.RestartPolicyOnFailure, MaximumRetryCount: policy.MaxRetries}
	case sdk.RestartNo, "":
	}
	return container.RestartPolicy{Name: container.RestartPolicyDisabled}
}

// restartOf is the inverse of restartPolicy.
func restartOf(host *container.HostConfig) sdk.RestartPolicy {
	if host == nil {
		return sdk.RestartPolicy{}
	}
	switch host.RestartPolicy.Name {
	case container.RestartPolicyAlways, container.RestartPolicyUnlessStopped:
		return sdk.RestartPolicy{Mode: sdk.RestartAlways}
	case container.RestartPolicyOnFailure:
		return sdk.RestartPolicy{Mode: sdk.RestartOnFailure, MaxRetries: host.RestartPolicy.MaximumRetryCount}
	case container.RestartPolicyDisabled:
	}
	return sdk.RestartPolicy{}
}

// Env implements sdk.EnvReader.
func (r *Runtime) Env(ctx context.Context, id string) (map[string]string, error) {
	if _, err := r.negotiated(ctx); err != nil {
		return nil, r.typed(ctx, "inspect", "", err)
	}
	seen, err := r.api.ContainerInspect(ctx, id)
	if err != nil {
		return nil, r.typed(ctx, "inspect", "", err)
	}
	env := make(map[string]string, len(seen.Config.Env))
	for _, pair := range seen.Config.Env {
		name, value, _ := strings.Cut(pair, "=")
		env[name] = value
	}
	return env, nil
}
