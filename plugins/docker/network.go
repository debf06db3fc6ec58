package docker

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// EnsureNetwork implements sdk.Networker.
func (r *Runtime) EnsureNetwork(ctx context.Context, wanted sdk.Network) (bool, error) {
	select {
	case r.networks <- struct{}{}:
		defer func() { <-r.networks }()
	case <-ctx.Done():
		return false, contextEnded(ctx, "network", "")
	}
	own, err := r.ownNetworks(ctx, wanted)
	if err != nil || len(own) > 0 {
		return false, err
	}
	labels := map[string]string{sdk.LabelProject: wanted.Project}
	maps.Copy(labels, wanted.Labels)
	made, err := r.api.NetworkCreate(ctx, wanted.Name, network.CreateOptions{Driver: "bridge", Labels: labels})
	if cerrdefs.IsConflict(err) {
		return false, r.madeByOthers(ctx, wanted)
	}
	if err != nil {
		return false, r.typed(ctx, "network", "", err)
	}
	return r.keepOne(ctx, wanted, made.ID)
}

// madeByOthers is fine if the others were another process of this project.
func (r *Runtime) madeByOthers(ctx context.Context, wanted sdk.Network) error {
	own, err := r.ownNetworks(ctx, wanted)
	if err == nil && len(own) == 0 {
		return sdk.Errorf(sdk.CodeConflict, "network", "the network %s came and went", wanted.Name)
	}
	return err
}

// keepOne looks again after a creation: engines before API 1.44 may have made a
// second network of the same name for somebody else in the same moment, and a
// name that two have can't be used. All who see both keep the same one.
func (r *Runtime) keepOne(ctx context.Context, wanted sdk.Network, made string) (bool, error) {
	found, err := r.ownNetworks(ctx, wanted)
	if err != nil {
		// It isn't ours alone, so ours goes.
		if removeErr := r.api.NetworkRemove(context.WithoutCancel(ctx), made); removeErr != nil {
			r.logger.Warn("could not remove a network that is one too many", "network", wanted.Name, "id", made, "error", removeErr)
		}
		return false, err
	}
	if len(found) == 0 {
		return false, sdk.Errorf(sdk.CodeConflict, "network", "the network %s was removed as soon as it was made", wanted.Name)
	}
	first := slices.MinFunc(found, func(a, b network.Summary) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
	})
	if len(found) == 1 || first.ID == made {
		return true, nil
	}
	if err := r.api.NetworkRemove(ctx, made); err != nil && !cerrdefs.IsNotFound(err) {
		return false, r.typed(ctx, "network", "", err)
	}
	return false, nil
}

// ownNetworks returns the networks of that name; there should be one or none. A
// network of somebody else is a conflict.
func (r *Runtime) ownNetworks(ctx context.Context, wanted sdk.Network) ([]network.Summary, error) {
	if _, err := r.negotiated(ctx); err != nil {
		return nil, r.typed(ctx, "network", "", err)
	}
	found, err := r.api.NetworkList(ctx, network.ListOptions{Filters: filters.NewArgs(filters.Arg("name", wanted.Name))})
	if err != nil {
		return nil, r.typed(ctx, "network", "", err)
	}
	var own []network.Summary
	for _, candidate := range found {
		if candidate.Name != wanted.Name {
			continue // the engine's filter also finds parts of names
		}
		if candidate.Labels[sdk.LabelProject] != wanted.Project {
			return nil, foreign("network", wanted.Name, wanted.Project, "docker network rm "+wanted.Name)
		}
		own = append(own, candidate)
	}
	return own, nil
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
	own, err := r.ownNetworks(ctx, wanted)
	if err != nil {
		return err
	}
	for _, one := range own {
		err := r.api.NetworkRemove(ctx, one.ID)
		if err != nil && !cerrdefs.IsNotFound(err) {
			return r.removalFailed(ctx, wanted, one.ID, err)
		}
	}
	return nil
}

// removalFailed names the containers that hold the network, if they are the
// cause: "network … has active endpoints", "network is being used".
func (r *Runtime) removalFailed(ctx context.Context, wanted sdk.Network, id string, cause error) error {
	seen, err := r.api.NetworkInspect(ctx, id, network.InspectOptions{})
	if err != nil || len(seen.Containers) == 0 {
		return r.typed(ctx, "network", "", cause)
	}
	var names []string
	for _, endpoint := range seen.Containers {
		names = append(names, endpoint.Name)
	}
	slices.Sort(names)
	return &sdk.Error{
		Code: sdk.CodeConflict, Op: "network",
		Err:  fmt.Errorf("the network %s is still used by %s", wanted.Name, strings.Join(names, ", ")),
		Hint: "disconnect or stop them, then run `lightshuttle down` again",
	}
}
