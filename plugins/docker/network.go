package docker

import (
	"context"
	"fmt"
	"slices"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// EnsureNetwork implements sdk.Networker.
func (r *Runtime) EnsureNetwork(ctx context.Context, wanted sdk.Network) (bool, error) {
	r.networks.Lock()
	defer r.networks.Unlock()
	there, err := r.ownNetwork(ctx, wanted)
	if err != nil || there != "" {
		return false, err
	}
	_, err = r.api.NetworkCreate(ctx, wanted.Name, network.CreateOptions{Driver: "bridge", Labels: wanted.Labels})
	if cerrdefs.IsConflict(err) {
		// Somebody else was faster; that is fine if it was us.
		there, err := r.ownNetwork(ctx, wanted)
		if err == nil && there == "" {
			err = sdk.Errorf(sdk.CodeConflict, "network", "the network %s came and went", wanted.Name)
		}
		return false, err
	}
	if err != nil {
		e := r.typed("create network "+wanted.Name, "", err)
		return false, withPoolHint(e)
	}
	return true, nil
}

// withPoolHint explains the engine's error when it has no address range left.
func withPoolHint(err error) error {
	e, ok := err.(*sdk.Error) //nolint:errorlint // typed returns this very type
	if ok && strings.Contains(e.Error(), "address pool") {
		e.Hint = "remove networks that nobody uses: docker network prune"
	}
	return err
}

// ownNetwork returns the id of the network of that name, "" if there is none. A
// network of somebody else is a conflict.
func (r *Runtime) ownNetwork(ctx context.Context, wanted sdk.Network) (string, error) {
	found, err := r.api.NetworkList(ctx, network.ListOptions{Filters: filters.NewArgs(filters.Arg("name", wanted.Name))})
	if err != nil {
		return "", r.typed("look for network "+wanted.Name, "", err)
	}
	for _, candidate := range found {
		if candidate.Name != wanted.Name {
			continue // the engine's filter also finds parts of names
		}
		if candidate.Labels[sdk.LabelProject] != wanted.Project {
			return "", foreign("network", wanted.Name, wanted.Project, "docker network rm "+wanted.Name)
		}
		return candidate.ID, nil
	}
	return "", nil
}

// foreign refuses what has our name but not our label.
func foreign(what, name, project, removal string) error {
	return &sdk.Error{
		Code: sdk.CodeConflict, Op: what,
		Err:  fmt.Errorf("there is a %s %s that doesn't belong to project %s", what, name, project),
		Hint: "it is left alone; rename the project, or remove it yourself if nobody needs it: " + removal,
	}
}

// RemoveNetwork implements sdk.Networker.
func (r *Runtime) RemoveNetwork(ctx context.Context, wanted sdk.Network) error {
	id, err := r.ownNetwork(ctx, wanted)
	if err != nil || id == "" {
		return err
	}
	err = r.api.NetworkRemove(ctx, id)
	if cerrdefs.IsNotFound(err) {
		return nil
	}
	if err == nil || !strings.Contains(err.Error(), "active endpoints") {
		return r.typed("remove network "+wanted.Name, "", err)
	}
	return r.stillUsed(ctx, wanted, id, err)
}

// stillUsed names the containers that hold the network.
func (r *Runtime) stillUsed(ctx context.Context, wanted sdk.Network, id string, cause error) error {
	seen, err := r.api.NetworkInspect(ctx, id, network.InspectOptions{})
	if err != nil {
		return r.typed("remove network "+wanted.Name, "", cause)
	}
	var names []string
	for _, endpoint := range seen.Containers {
		names = append(names, endpoint.Name)
	}
	slices.Sort(names)
	return &sdk.Error{
		Code: sdk.CodeConflict, Op: "remove network " + wanted.Name,
		Err:  fmt.Errorf("still used by %s", strings.Join(names, ", ")),
		Hint: "disconnect or stop them, then run `lightshuttle down` again",
	}
}
