package main

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// networks returns the ids of the networks of that name; there should be one or
// none. One of somebody else is a conflict.
func (e *engine) networks(ctx context.Context, wanted sdk.Network) ([]string, error) {
	var found []struct {
		ID, Name string
		Labels   map[string]string
	}
	if err := e.get(ctx, "network", "GET", "/networks", [][2]string{filters(map[string][]string{"name": {wanted.Name}})}, nil, &found); err != nil {
		return nil, err
	}
	var ids []string
	for _, one := range found {
		if one.Name != wanted.Name {
			continue // the filter finds parts of names, too
		}
		if one.Labels[sdk.LabelProject] != wanted.Project {
			return nil, &sdk.Error{Code: sdk.CodeConflict, Op: "network", Err: errors.New("the network " + wanted.Name + " isn't of project " + wanted.Project)}
		}
		ids = append(ids, one.ID)
	}
	return ids, nil
}

// EnsureNetwork implements sdk.Networker. Old engines make two networks of one
// name when two ask in the same moment. Then each removes its own, and tries
// again a little later.
func (e *engine) EnsureNetwork(ctx context.Context, wanted sdk.Network) (bool, error) {
	labels := map[string]string{sdk.LabelProject: wanted.Project}
	maps.Copy(labels, wanted.Labels)
	for {
		ids, err := e.networks(ctx, wanted)
		if err != nil || len(ids) > 0 {
			return false, err
		}
		var made struct{ ID string }
		err = e.get(ctx, "network", "POST", "/networks/create", nil, object{"Name": wanted.Name, "CheckDuplicate": true, "Driver": "bridge", "Labels": labels}, &made)
		if err != nil && !sdk.IsCode(err, sdk.CodeConflict) {
			return false, err
		}
		if err == nil {
			only, err := e.keepIfOnly(ctx, wanted, made.ID)
			if err != nil || only {
				return only, err
			}
		}
		if err := e.host.Sleep(ctx, rand.N(200*time.Millisecond)); err != nil { //nolint:gosec // nobody is to be kept from guessing it
			return false, err
		}
	}
}

func (e *engine) keepIfOnly(ctx context.Context, wanted sdk.Network, made string) (bool, error) {
	ids, err := e.networks(ctx, wanted)
	if err == nil && len(ids) == 1 && ids[0] == made {
		return true, nil
	}
	removal := unlessGone(e.get(context.WithoutCancel(ctx), "network", "DELETE", "/networks/"+made, nil, nil, nil))
	return false, errors.Join(err, removal)
}

// RemoveNetwork implements sdk.Networker.
func (e *engine) RemoveNetwork(ctx context.Context, wanted sdk.Network) error {
	ids, err := e.networks(ctx, wanted)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := e.get(ctx, "network", "DELETE", "/networks/"+id, nil, nil, nil); unlessGone(err) != nil {
			return err
		}
	}
	return nil
}
