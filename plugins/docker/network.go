package docker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"

	"github.com/lightshuttle/lightshuttle/sdk"
)

const (
	networkAttempts = 10
	// maxNetworkPause is as long as the making of a network takes, at least.
	maxNetworkPause = 200 * time.Millisecond
)

// EnsureNetwork implements sdk.Networker.
func (r *Runtime) EnsureNetwork(ctx context.Context, wanted sdk.Network) (bool, error) {
	select {
	case r.networks <- struct{}{}:
		defer func() { <-r.networks }()
	case <-ctx.Done():
		return false, contextEnded(ctx, "network", "")
	}
	for range networkAttempts {
		own, err := r.ownNetworks(ctx, wanted)
		if err != nil || len(own) > 0 {
			return false, err
		}
		labels := map[string]string{sdk.LabelProject: wanted.Project}
		maps.Copy(labels, wanted.Labels)
		// As with containers, what was asked for is waited for: else it would be
		// left without anybody knowing.
		longer, cancel := outlive(ctx, creationTimeout)
		made, err := r.api.NetworkCreate(longer, wanted.Name, network.CreateOptions{Driver: "bridge", Labels: labels})
		cancel()
		if err != nil && !nameExists(err) {
			return false, r.typed(ctx, "network", "", err)
		}
		if err == nil {
			kept, err := r.keepIfOnly(ctx, wanted, made.ID)
			if err != nil || kept {
				return kept, err
			}
		}
		if err := pauseAtRandom(ctx); err != nil {
			return false, err
		}
	}
	return false, sdk.Errorf(sdk.CodeConflict, "network", "others make and remove the network %s all the time", wanted.Name)
}

// pauseAtRandom keeps those who try at the same time from doing so again.
func pauseAtRandom(ctx context.Context) error {
	pause := time.NewTimer(rand.N(maxNetworkPause)) //nolint:gosec // nobody is to be kept from guessing it
	defer pause.Stop()
	select {
	case <-ctx.Done():
		return contextEnded(ctx, "network", "")
	case <-pause.C:
		return nil
	}
}

// keepIfOnly looks again after a creation: engines before API 1.44 may have made
// a second network of the same name for somebody else in the same moment, and a
// name that two have can't be used. The other may have looked before ours could
// be seen, so it is ours that goes. If both go, the pause makes one the first
// when both try again.
func (r *Runtime) keepIfOnly(ctx context.Context, wanted sdk.Network, made string) (bool, error) {
	found, err := r.ownNetworks(ctx, wanted)
	if err == nil && len(found) == 1 && found[0].ID == made {
		return true, nil
	}
	removal, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	if removeErr := r.api.NetworkRemove(removal, made); removeErr != nil && !cerrdefs.IsNotFound(removeErr) {
		err = errors.Join(err, removeErr)
	}
	if err != nil {
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
