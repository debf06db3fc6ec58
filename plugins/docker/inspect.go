package docker

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// inspections is how many containers are looked at, at a time.
const inspections = 8

// Inspect implements sdk.Inspector.
func (r *Runtime) Inspect(ctx context.Context, id string) (sdk.State, error) {
	seen, err := r.api.ContainerInspect(ctx, id)
	if err != nil {
		return sdk.State{}, r.typed(ctx, "inspect", "", err)
	}
	return stateOf(seen), nil
}

// List implements sdk.Lister.
func (r *Runtime) List(ctx context.Context, project string) ([]sdk.State, error) {
	if _, err := r.negotiated(ctx); err != nil {
		return nil, r.typed(ctx, "list", "", err)
	}
	found, err := r.api.ContainerList(ctx, container.ListOptions{
		All: true, Filters: filters.NewArgs(filters.Arg("label", sdk.LabelProject+"="+project)),
	})
	if err != nil {
		return nil, r.typed(ctx, "list", "", err)
	}
	states := make([]sdk.State, len(found))
	errs := make([]error, len(found))
	places := make(chan struct{}, inspections)
	var all sync.WaitGroup
	for i, summary := range found {
		all.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			states[i], errs[i] = r.Inspect(ctx, summary.ID)
		})
	}
	all.Wait()
	var result []sdk.State
	for i, state := range states {
		if sdk.IsCode(errs[i], sdk.CodeNotFound) {
			continue // it was removed meanwhile
		}
		if errs[i] != nil {
			return nil, about(found[i].Labels[sdk.LabelResource], errs[i])
		}
		result = append(result, state)
	}
	return result, nil
}

// about names the resource that an error is about.
func about(resource string, err error) error {
	e, ok := err.(*sdk.Error) //nolint:errorlint // a wrapped one has a text of its own
	if !ok || e.Resource != "" {
		return err
	}
	with := *e
	with.Resource = resource
	return &with
}

func stateOf(seen container.InspectResponse) sdk.State {
	labels := seen.Config.Labels
	state := sdk.State{
		ID: seen.ID, Name: trimSlash(seen.Name), Project: labels[sdk.LabelProject], Resource: labels[sdk.LabelResource],
		Image: seen.Config.Image, ImageID: seen.Image,
		Status: statusOf(seen.State.Status), Health: sdk.HealthNone, Healthcheck: checkOf(seen.Config),
		OOMKilled: seen.State.OOMKilled, Error: seen.State.Error,
		CreatedAt: parseTime(seen.Created), StartedAt: parseTime(seen.State.StartedAt), FinishedAt: parseTime(seen.State.FinishedAt),
		Restarts: seen.RestartCount, Restart: restartOf(seen.HostConfig), Labels: labels,
	}
	if state.Ended() {
		code := seen.State.ExitCode
		state.ExitCode = &code
	}
	if health := seen.State.Health; health != nil && health.Status != container.NoHealthcheck && health.Status != "" {
		state.Health = sdk.Health(health.Status)
		if last := len(health.Log) - 1; last >= 0 {
			state.HealthOutput = health.Log[last].Output
		}
	}
	addNetwork(&state, seen)
	return state
}

func addNetwork(state *sdk.State, seen container.InspectResponse) {
	if seen.NetworkSettings == nil {
		return
	}
	for port, bindings := range seen.NetworkSettings.Ports {
		for _, binding := range bindings {
			state.Ports = append(state.Ports, bindingOf(port, binding.HostIP, binding.HostPort))
		}
	}
	slices.SortFunc(state.Ports, comparePorts)
	for _, endpoint := range seen.NetworkSettings.Networks {
		if endpoint.IPAddress != "" {
			state.Addresses = append(state.Addresses, endpoint.IPAddress)
		}
	}
	slices.Sort(state.Addresses)
}

func comparePorts(a, b sdk.PortBinding) int {
	return cmp.Or(
		cmp.Compare(a.ContainerPort, b.ContainerPort),
		cmp.Compare(a.HostPort, b.HostPort),
		cmp.Compare(a.Protocol, b.Protocol),
		cmp.Compare(a.HostIP, b.HostIP),
	)
}

// statusOf also knows podman's own words.
func statusOf(engine string) sdk.Status {
	switch engine {
	case "configured", "initialized":
		return sdk.StatusCreated
	case "stopping":
		return sdk.StatusRunning
	case "stopped":
		return sdk.StatusExited
	}
	return sdk.Status(engine)
}

// checkOf is the container's own healthcheck, as it came from the image or from
// us. The engine's defaults are for services that run for months; where the
// image says nothing, sdk/probe's count.
func checkOf(configuration *container.Config) *sdk.Healthcheck {
	own := configuration.Healthcheck
	if own == nil || len(own.Test) == 0 || own.Test[0] == "NONE" {
		return nil
	}
	check := &sdk.Healthcheck{
		Interval: sdk.Duration(own.Interval), Timeout: sdk.Duration(own.Timeout), StartPeriod: sdk.Duration(own.StartPeriod),
		StartInterval: sdk.Duration(own.StartInterval), Retries: own.Retries,
	}
	switch own.Test[0] {
	case "CMD":
		check.Test = own.Test[1:]
	case "CMD-SHELL":
		shell := []string{"/bin/sh", "-c"}
		if len(configuration.Shell) > 0 {
			shell = configuration.Shell
		}
		check.Test = append(slices.Clone(shell), own.Test[1:]...)
	default:
		check.Test = own.Test
	}
	if len(check.Test) == 0 {
		return nil
	}
	return check
}

func trimSlash(name string) string {
	if len(name) > 0 && name[0] == '/' {
		return name[1:]
	}
	return name
}

// parseTime reads the engine's times; its word for "never" is year 1.
func parseTime(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.Year() <= 1 {
		return time.Time{}
	}
	return t
}
