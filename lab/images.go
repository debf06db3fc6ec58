package main

import (
	"archive/tar"
	"bytes"
	"context"
	"time"

	"github.com/docker/docker/api/types/build"
)

// volumed is tiny with an anonymous volume.
const volumed = "lab-volume:1"

const volumedFile = "FROM " + tiny + "\nVOLUME /scratch\n"

// prepareImages puts on the engine what the stacks need.
func (e *engine) prepareImages(ctx context.Context, from *engine) error {
	if err := e.copyImages(ctx, from, tiny, busybox); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, engineLimit)
	defer cancel()
	var context bytes.Buffer
	archive := tar.NewWriter(&context)
	if err := archive.WriteHeader(&tar.Header{Name: "Dockerfile", Mode: 0o600, Size: int64(len(volumedFile)), ModTime: time.Unix(0, 0)}); err != nil {
		return err
	}
	if _, err := archive.Write([]byte(volumedFile)); err != nil {
		return err
	}
	if err := archive.Close(); err != nil {
		return err
	}
	built, err := e.api.ImageBuild(ctx, &context, build.ImageBuildOptions{Tags: []string{volumed}, Remove: true, ForceRemove: true})
	if err != nil {
		return err
	}
	defer built.Body.Close()
	return drainBody(built.Body)
}
