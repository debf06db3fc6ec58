package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/probe"
)

// seen is what the engine says of a container, as far as it matters here.
type seen struct {
	ID, Name, Image, Created string
	RestartCount             int
	State                    struct {
		Status, Error, StartedAt, FinishedAt string
		ExitCode                             int
		OOMKilled                            bool
		Health                               *struct {
			Status string
			Log    []struct{ Output string }
		}
	}
	Config struct {
		Image       string
		Labels      map[string]string
		Healthcheck *struct {
			Test                                          []string
			Interval, Timeout, StartPeriod, StartInterval time.Duration
			Retries                                       int
		}
	}
	HostConfig struct {
		RestartPolicy struct {
			Name              string
			MaximumRetryCount int
		}
	}
	NetworkSettings struct {
		Ports    map[string][]struct{ HostIP, HostPort string }
		Networks map[string]struct{ IPAddress string }
	}
}

// Inspect implements sdk.Inspector.
func (e *engine) Inspect(ctx context.Context, id string) (sdk.State, error) {
	var s seen
	if err := e.get(ctx, "inspect", "GET", container(id, "/json"), nil, nil, &s); err != nil {
		return sdk.State{}, err
	}
	return s.state(), nil
}

// podman has words of its own.
var statuses = map[string]sdk.Status{
	"configured": sdk.StatusCreated, "initialized": sdk.StatusCreated, "stopping": sdk.StatusRunning, "stopped": sdk.StatusExited,
}

func (s seen) state() sdk.State {
	labels := s.Config.Labels
	state := sdk.State{
		ID: s.ID, Name: strings.TrimPrefix(s.Name, "/"), Project: labels[sdk.LabelProject], Resource: labels[sdk.LabelResource],
		Image: s.Config.Image, ImageID: s.Image, Status: sdk.Status(s.State.Status), Health: sdk.HealthNone, Healthcheck: s.check(),
		OOMKilled: s.State.OOMKilled, Error: s.State.Error, Restarts: s.RestartCount, Labels: labels,
		CreatedAt: moment(s.Created), StartedAt: moment(s.State.StartedAt), FinishedAt: moment(s.State.FinishedAt),
	}
	if status, ok := statuses[s.State.Status]; ok {
		state.Status = status
	}
	if state.Ended() {
		state.ExitCode = &s.State.ExitCode
	}
	if health := s.State.Health; health != nil && health.Status != "" {
		state.Health = sdk.Health(health.Status)
		if len(health.Log) > 0 {
			state.HealthOutput = health.Log[len(health.Log)-1].Output
		}
	}
	switch s.HostConfig.RestartPolicy.Name {
	case "always", "unless-stopped":
		state.Restart.Mode = sdk.RestartAlways
	case "on-failure":
		state.Restart = sdk.RestartPolicy{Mode: sdk.RestartOnFailure, MaxRetries: s.HostConfig.RestartPolicy.MaximumRetryCount}
	}
	s.addNetwork(&state)
	return state
}

func (s seen) addNetwork(state *sdk.State) {
	for key, list := range s.NetworkSettings.Ports {
		inner, protocol, _ := strings.Cut(key, "/")
		for _, one := range list {
			state.Ports = append(state.Ports, sdk.PortBinding{
				HostIP: one.HostIP, HostPort: number(one.HostPort), ContainerPort: number(inner), Protocol: sdk.Protocol(protocol),
			})
		}
	}
	for _, network := range s.NetworkSettings.Networks {
		if network.IPAddress != "" {
			state.Addresses = append(state.Addresses, network.IPAddress)
		}
	}
}

func number(text string) uint16 {
	n, _ := strconv.ParseUint(text, 10, 16)
	return uint16(n)
}

// moment reads a time; the engine's "never" is the year 1.
func moment(text string) time.Time {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || at.Year() <= 1 {
		return time.Time{}
	}
	return at
}

func (s seen) check() *sdk.Healthcheck {
	own := s.Config.Healthcheck
	if own == nil || len(own.Test) < 2 {
		return nil
	}
	check := &sdk.Healthcheck{
		Test: own.Test[1:], Interval: sdk.Duration(own.Interval), Timeout: sdk.Duration(own.Timeout),
		StartPeriod: sdk.Duration(own.StartPeriod), StartInterval: sdk.Duration(own.StartInterval), Retries: own.Retries,
	}
	if own.Test[0] == "CMD-SHELL" {
		check.Test = append([]string{"/bin/sh", "-c"}, check.Test...)
	}
	return check
}

// List implements sdk.Lister.
func (e *engine) List(ctx context.Context, project string) ([]sdk.State, error) {
	var found []struct{ ID string }
	if err := e.get(ctx, "list", "GET", "/containers/json", [][2]string{{"all", "1"}, filters(ofProject(project))}, nil, &found); err != nil {
		return nil, err
	}
	var states []sdk.State
	for _, one := range found {
		state, err := e.Inspect(ctx, one.ID)
		if sdk.IsCode(err, sdk.CodeNotFound) {
			continue // it was removed meanwhile
		}
		if err != nil {
			return nil, err
		}
		states = append(states, state)
	}
	return states, nil
}

// WaitHealthy implements sdk.Runtime.
func (e *engine) WaitHealthy(ctx context.Context, id string, check *sdk.Healthcheck) (sdk.State, error) {
	state, err := e.ready(ctx, id)
	if err != nil {
		return state, err
	}
	if check == nil {
		check = state.Healthcheck
	}
	switch {
	case check == nil || check.Disable:
		return state, nil
	case check.HTTP != nil || check.TCP != nil:
		return state, &sdk.Error{Code: sdk.CodeUnsupported, Op: "healthcheck", Err: errors.New("the program makes network checks itself")}
	case check.Log != nil:
		err = probe.Log(ctx, reading{e}, id, *check.Log)
	default:
		began := time.Now()
		err = probe.Guard(ctx,
			func(ctx context.Context) error { return probe.Until(ctx, *check, e.attempt(id, check.Test)) },
			func(ctx context.Context) error { return e.awaitEnd(ctx, id, began) })
	}
	if err != nil && !sdk.IsCode(err, sdk.CodeExited) {
		return state, err
	}
	state, lookErr := e.ready(ctx, id)
	if err == nil {
		return state, lookErr
	}
	if check.Log != nil && lookErr != nil {
		return state, lookErr // a log doesn't tell the exit code
	}
	return state, err
}

// guardDelay is how long a wait relies on the check to notice the container's
// end; nearly every wait is over by then.
const guardDelay = time.Second

// awaitEnd waits for the container's end and returns it as an error; nil when
// ctx ends first, or the engine can't tell.
func (e *engine) awaitEnd(ctx context.Context, id string, since time.Time) error {
	if e.host.Sleep(ctx, guardDelay) != nil {
		return nil
	}
	by := map[string][]string{"container": {id}, "type": {"container"}}
	body, err := e.ask(ctx, "events", "GET", "/events", [][2]string{{"since", stamp(since)}, filters(by)}, nil)
	if err != nil {
		return nil // the check itself will tell
	}
	defer body.Close()
	decoder := json.NewDecoder(body)
	for {
		var m message
		if decoder.Decode(&m) != nil {
			return nil
		}
		event, known := m.event()
		if !known || event.Type != sdk.EventExited && event.Type != sdk.EventRemoved {
			continue
		}
		if _, end := e.ready(ctx, id); end != nil && ctx.Err() == nil {
			return end
		}
	}
}

// attempt runs the check, and ends the wait when the container has ended.
func (e *engine) attempt(id string, test []string) probe.Attempt {
	run := probe.Exec(reading{e}, id, test)
	return func(ctx context.Context) (probe.Result, error) {
		result, err := run(ctx)
		if err == nil && !result.Passed {
			_, err = e.ready(ctx, id)
		}
		return result, err
	}
}

// ready waits until the container runs, and fails when it has ended.
func (e *engine) ready(ctx context.Context, id string) (sdk.State, error) {
	for {
		state, err := e.Inspect(ctx, id)
		if err != nil || state.Status == sdk.StatusRunning {
			return state, err
		}
		if state.Ended() {
			return state, &sdk.Error{
				Code: sdk.CodeExited, Op: "healthcheck", ExitCode: *state.ExitCode,
				Err: fmt.Errorf("exited with code %d before it was ready", *state.ExitCode),
			}
		}
		if err := e.host.Sleep(ctx, 50*time.Millisecond); err != nil {
			return state, err
		}
	}
}
