package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/volume"
	"github.com/docker/docker/client"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// The labels by which compose knows what is its own.
const (
	composeProject = "com.docker.compose.project"
	composeService = "com.docker.compose.service"
)

// sweepTimeout bounds the removal of what a run has left.
const sweepTimeout = 2 * time.Minute

// engine is the engine as the harness looks at it, from outside of any subject.
// It sees and removes only what belongs to the run's own projects.
type engine struct {
	api *client.Client
	// prefix is what the names of all projects of this run begin with.
	prefix string
}

func openEngine(prefix string) (*engine, error) {
	api, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	if err != nil {
		return nil, err
	}
	return &engine{api: api, prefix: prefix}, nil
}

// close removes whatever the run has left. It has its own time, because the
// run's context may have ended.
func (e *engine) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), sweepTimeout)
	defer cancel()
	return errors.Join(e.sweep(ctx), e.api.Close())
}

// things are what the engine has of the run.
type things struct {
	containers []container.Summary
	networks   []network.Summary
	volumes    []*volume.Volume
}

func (t things) names() []string {
	var names []string
	for _, c := range t.containers {
		names = append(names, "container "+strings.Join(c.Names, " "))
	}
	for _, n := range t.networks {
		names = append(names, "network "+n.Name)
	}
	for _, v := range t.volumes {
		names = append(names, "volume "+v.Name)
	}
	return names
}

// ours says whether the labels are those of a project of this run.
func (e *engine) ours(labels map[string]string) bool {
	return strings.HasPrefix(labels[sdk.LabelProject], e.prefix) || strings.HasPrefix(labels[composeProject], e.prefix)
}

func (e *engine) look(ctx context.Context) (things, error) {
	var seen things
	for _, label := range []string{sdk.LabelProject, composeProject} {
		args := filters.NewArgs(filters.Arg("label", label))
		containers, err := e.api.ContainerList(ctx, container.ListOptions{All: true, Filters: args})
		if err != nil {
			return things{}, err
		}
		networks, err := e.api.NetworkList(ctx, network.ListOptions{Filters: args})
		if err != nil {
			return things{}, err
		}
		volumes, err := e.api.VolumeList(ctx, volume.ListOptions{Filters: args})
		if err != nil {
			return things{}, err
		}
		seen.containers = append(seen.containers, containers...)
		seen.networks = append(seen.networks, networks...)
		seen.volumes = append(seen.volumes, volumes.Volumes...)
	}
	seen.containers = slices.DeleteFunc(seen.containers, func(c container.Summary) bool { return !e.ours(c.Labels) })
	seen.networks = slices.DeleteFunc(seen.networks, func(n network.Summary) bool { return !e.ours(n.Labels) })
	seen.volumes = slices.DeleteFunc(seen.volumes, func(v *volume.Volume) bool { return !e.ours(v.Labels) })
	return seen, nil
}

// anonymous are the volumes of the containers that are there now. Anonymous
// ones have no labels, so they must be noted while their container lives.
func (e *engine) anonymous(ctx context.Context) ([]string, error) {
	seen, err := e.look(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, c := range seen.containers {
		for _, m := range c.Mounts {
			if m.Name != "" {
				names = append(names, m.Name)
			}
		}
	}
	return names, nil
}

// nothingLeft fails if there is anything of the run, or any of these volumes.
func (e *engine) nothingLeft(ctx context.Context, volumes []string) error {
	seen, err := e.look(ctx)
	if err != nil {
		return err
	}
	left := seen.names()
	for _, name := range volumes {
		_, err := e.api.VolumeInspect(ctx, name)
		if err == nil {
			left = append(left, "volume "+name)
			continue
		}
		if !cerrdefs.IsNotFound(err) {
			return err
		}
	}
	if len(left) > 0 {
		return fmt.Errorf("left behind: %s", strings.Join(left, ", "))
	}
	return nil
}

// sweep removes everything of the run, and makes sure of it.
func (e *engine) sweep(ctx context.Context) error {
	if err := e.remove(ctx); err != nil {
		return fmt.Errorf("the run can't remove what it has made, whose names begin with %s: %w", e.prefix, err)
	}
	return e.nothingLeft(ctx, nil)
}

func (e *engine) remove(ctx context.Context) error {
	seen, err := e.look(ctx)
	if err != nil {
		return err
	}
	for _, c := range seen.containers {
		err := e.api.ContainerRemove(ctx, c.ID, container.RemoveOptions{Force: true, RemoveVolumes: true})
		if err != nil && !cerrdefs.IsNotFound(err) {
			return err
		}
	}
	for _, n := range seen.networks {
		if err := e.api.NetworkRemove(ctx, n.ID); err != nil && !cerrdefs.IsNotFound(err) {
			return err
		}
	}
	for _, v := range seen.volumes {
		if err := e.api.VolumeRemove(ctx, v.Name, true); err != nil && !cerrdefs.IsNotFound(err) {
			return err
		}
	}
	return nil
}

// find returns the container of a service, whoever of the subjects made it.
func (e *engine) find(ctx context.Context, service string) (string, error) {
	seen, err := e.look(ctx)
	if err != nil {
		return "", err
	}
	for _, c := range seen.containers {
		if serviceOf(c.Labels) == service {
			return c.ID, nil
		}
	}
	return "", fmt.Errorf("there is no container of %s", service)
}

// serviceOf is the name that the stack's description has for a container.
func serviceOf(labels map[string]string) string {
	if name := labels[sdk.LabelResource]; name != "" {
		return name
	}
	return labels[composeService]
}
