package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Prepared implements sdk.Preparer.
func (e *engine) Prepared(ctx context.Context, spec sdk.Spec) (bool, error) {
	if spec.Build != nil || spec.Pull == sdk.PullAlways {
		return false, nil
	}
	err := e.get(ctx, "prepare", "GET", "/images/"+spec.Image+"/json", nil, nil, nil)
	code := sdk.CodeOf(err)
	if code == sdk.CodeNotFound || code == sdk.CodeImageNotFound {
		return false, nil
	}
	return err == nil, named(err, spec.Resource)
}

// Prepare implements sdk.Preparer. It pulls public images only: a module has no
// credentials.
func (e *engine) Prepare(ctx context.Context, spec sdk.Spec, report func(sdk.Progress)) error {
	if err := refuse(spec); err != nil {
		return err
	}
	ready, err := e.Prepared(ctx, spec)
	if err != nil || ready {
		return err
	}
	if spec.Pull == sdk.PullNever {
		return spec.ImageMissing()
	}
	body, err := e.ask(ctx, "pull", "POST", "/images/create", [][2]string{{"fromImage", whole(spec.Image)}}, nil)
	if err != nil {
		return named(err, spec.Resource)
	}
	defer body.Close()
	return named(followPull(body, report), spec.Resource)
}

// whole adds the tag without which the engine would pull all there are.
func whole(image string) string {
	last := image[strings.LastIndexByte(image, '/')+1:]
	if strings.ContainsAny(last, ":@") {
		return image
	}
	return image + ":latest"
}

func followPull(body io.Reader, report func(sdk.Progress)) error {
	type progress struct{ Current, Total int64 }
	layers := map[string]progress{}
	decoder := json.NewDecoder(body)
	for {
		var line struct {
			ID, Status, Error string
			ProgressDetail    progress
		}
		err := decoder.Decode(&line)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if line.Error != "" {
			return refusal("pull", 0, line.Error)
		}
		if line.Status == "Downloading" {
			layers[line.ID] = line.ProgressDetail
		}
		step := sdk.Progress{Action: "pull", Status: strings.TrimSpace(line.ID + " " + line.Status)}
		for _, layer := range layers {
			step.Current += layer.Current
			step.Total += layer.Total
		}
		report(step)
	}
}
