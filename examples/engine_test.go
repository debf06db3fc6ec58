package examples

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/volume"
	"github.com/docker/docker/client"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// engineOf connects to the engine. Without one, the examples can't be tested,
// and that is a failure.
func engineOf(t *testing.T) *client.Client {
	t.Helper()
	engine, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	if _, err := engine.Ping(t.Context()); err != nil {
		t.Fatalf("no Docker engine answers (`make engines` sets one up): %v", err)
	}
	return engine
}

// leftOf names all that the engine has of a project, but for images.
func leftOf(t *testing.T, engine *client.Client, project string) []string {
	t.Helper()
	ours := filters.NewArgs(filters.Arg("label", sdk.LabelProject+"="+project))
	var left []string
	containers, err := engine.ContainerList(t.Context(), container.ListOptions{All: true, Filters: ours})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range containers {
		left = append(left, "container "+c.Names[0])
	}
	networks, err := engine.NetworkList(t.Context(), network.ListOptions{Filters: ours})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range networks {
		left = append(left, "network "+n.Name)
	}
	volumes, err := engine.VolumeList(t.Context(), volume.ListOptions{Filters: ours})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range volumes.Volumes {
		left = append(left, "volume "+v.Name)
	}
	return append(left, processesOf(t, project)...)
}

// processesOf names the processes that are kept of a project.
func processesOf(t *testing.T, project string) []string {
	t.Helper()
	var found []string
	for _, row := range rowsOf(t, project, "--runtime", "process") {
		found = append(found, "process "+row.ID)
	}
	slices.Sort(found)
	return found
}

// removeImages removes what was built for a project.
func removeImages(ctx context.Context, engine *client.Client, project string) error {
	ours := filters.NewArgs(filters.Arg("label", sdk.LabelProject+"="+project))
	images, err := engine.ImageList(ctx, image.ListOptions{Filters: ours})
	errs := []error{err}
	for _, i := range images {
		_, err := engine.ImageRemove(ctx, i.ID, image.RemoveOptions{Force: true, PruneChildren: true})
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
