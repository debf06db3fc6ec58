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

// engine is an engine as the laboratory sees it, past the program and the
// proxy.
type engine struct {
	api    *client.Client
	socket string
	// inside is the command line for a program that shares the engine's network.
	inside func(args ...string) []string
}

func openEngine(socket string) (*engine, error) {
	api, err := client.NewClientWithOpts(client.WithHost("unix://"+socket), client.WithAPIVersionNegotiation())
	if err != nil {
		return nil, err
	}
	return &engine{api: api, socket: socket}, nil
}

func (e *engine) close() { _ = e.api.Close() } // nothing is lost with the connections

// engineLimit bounds each look at the engine.
const engineLimit = time.Minute

func (e *engine) containers(ctx context.Context, project string) ([]container.Summary, error) {
	ctx, cancel := context.WithTimeout(ctx, engineLimit)
	defer cancel()
	return e.api.ContainerList(ctx, container.ListOptions{All: true, Filters: ofProject(project)})
}

func ofProject(project string) filters.Args {
	return filters.NewArgs(filters.Arg("label", sdk.LabelProject+"="+project))
}

func resourceOf(c container.Summary) string { return c.Labels[sdk.LabelResource] }

// leaks are what is there of the project that must not be: containers,
// networks, and those of the anonymous volumes that are still there. Named
// volumes are allowed.
func (e *engine) leaks(ctx context.Context, project string, anonymous []string) ([]string, error) {
	containers, err := e.containers(ctx, project)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, engineLimit)
	defer cancel()
	networks, err := e.api.NetworkList(ctx, network.ListOptions{Filters: ofProject(project)})
	if err != nil {
		return nil, err
	}
	var left []string
	for _, c := range containers {
		left = append(left, fmt.Sprintf("container %s (%s)", resourceOf(c), c.State))
	}
	for _, n := range networks {
		left = append(left, "network "+n.Name)
	}
	for _, name := range anonymous {
		_, err := e.api.VolumeInspect(ctx, name)
		if err != nil && !cerrdefs.IsNotFound(err) {
			return nil, err
		}
		if err == nil {
			left = append(left, anonymousVolume+name[:12])
		}
	}
	slices.Sort(left)
	return left, nil
}

// removeAll is docker rm -f -v.
var removeAll = container.RemoveOptions{Force: true, RemoveVolumes: true}

// sweep removes all of a project, named volumes too.
func (e *engine) sweep(ctx context.Context, project string, anonymous []string) error {
	containers, err := e.containers(ctx, project)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, engineLimit)
	defer cancel()
	var failures []error
	for _, c := range containers {
		failures = append(failures, present(e.api.ContainerRemove(ctx, c.ID, removeAll)))
	}
	networks, err := e.api.NetworkList(ctx, network.ListOptions{Filters: ofProject(project)})
	failures = append(failures, err)
	for _, n := range networks {
		failures = append(failures, present(e.api.NetworkRemove(ctx, n.ID)))
	}
	volumes, err := e.api.VolumeList(ctx, volume.ListOptions{Filters: ofProject(project)})
	failures = append(failures, err)
	for _, v := range volumes.Volumes {
		anonymous = append(anonymous, v.Name)
	}
	for _, name := range anonymous {
		failures = append(failures, present(e.api.VolumeRemove(ctx, name, true)))
	}
	return errors.Join(failures...)
}

// present forgives that something is gone already.
func present(err error) error {
	if cerrdefs.IsNotFound(err) {
		return nil
	}
	return err
}

// copyImages takes the images over from another engine.
func (e *engine) copyImages(ctx context.Context, from *engine, images ...string) error {
	saved, err := from.api.ImageSave(ctx, images)
	if err != nil {
		return fmt.Errorf("the images %s are needed: run scripts/images/ensure: %w", strings.Join(images, ", "), err)
	}
	defer saved.Close()
	loaded, err := e.api.ImageLoad(ctx, saved)
	if err != nil {
		return err
	}
	defer loaded.Body.Close()
	return drainBody(loaded.Body)
}

const anonymousVolume = "anonymous volume "

// allThatIsLeft is all on an engine of the laboratory's own that isn't there
// from the start: containers, networks and anonymous volumes of whomever.
func (e *engine) allThatIsLeft(ctx context.Context) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, engineLimit)
	defer cancel()
	containers, err := e.api.ContainerList(ctx, container.ListOptions{All: true})
	if err != nil {
		return nil, err
	}
	networks, err := e.api.NetworkList(ctx, network.ListOptions{Filters: filters.NewArgs(filters.Arg("type", "custom"))})
	if err != nil {
		return nil, err
	}
	volumes, err := e.api.VolumeList(ctx, volume.ListOptions{})
	if err != nil {
		return nil, err
	}
	var left []string
	for _, c := range containers {
		left = append(left, "container "+strings.Join(c.Names, " "))
	}
	for _, n := range networks {
		left = append(left, "network "+n.Name)
	}
	for _, v := range volumes.Volumes {
		if isAnonymous(v.Name) {
			left = append(left, anonymousVolume+v.Name)
		}
	}
	return left, nil
}
