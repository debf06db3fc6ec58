package nerdctl

import (
	"cmp"
	"context"
	"encoding/json"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// inspected is what the programs' inspect commands have in common.
type inspected struct {
	ID           string `json:"Id"`
	Name         string
	Created      time.Time
	Image        string
	ImageName    string // podman's
	RestartCount int
	State        struct {
		Status     string
		ExitCode   int
		OOMKilled  bool
		Error      string
		StartedAt  string
		FinishedAt string
		Health     *struct {
			Status string
			Log    []struct{ Output string }
		}
	}
	Config struct {
		Image       string
		Env         []string
		Labels      map[string]string
		Healthcheck *engineCheck
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
	// unsure says that the engine could not tell the state; see look.go.
	unsure bool
}

// engineCheck is a healthcheck as engines keep it; times are in nanoseconds.
type engineCheck struct {
	Test                                          []string
	Interval, Timeout, StartPeriod, StartInterval time.Duration
	Retries                                       int
}

func (r *Runtime) stateOf(seen inspected) sdk.State {
	labels := seen.Config.Labels
	state := sdk.State{
		ID: seen.ID, Name: strings.TrimPrefix(seen.Name, "/"), Project: labels[sdk.LabelProject], Resource: labels[sdk.LabelResource],
		Status: statusOf(seen.State.Status), Health: sdk.HealthNone, Healthcheck: checkOf(seen),
		OOMKilled: seen.State.OOMKilled, Error: seen.State.Error,
		CreatedAt: seen.Created, StartedAt: parseTime(seen.State.StartedAt), FinishedAt: parseTime(seen.State.FinishedAt),
		Restarts: seen.RestartCount, Restart: restartOf(seen), Labels: labels,
	}
	if state.Status == sdk.StatusRestarting && labels["containerd.io/restart.explicitly-stopped"] == "true" {
		state.Status = sdk.StatusExited // nerdctl goes by the policy alone
	}
	if seen.unsure {
		state.Status, state.Error = sdk.StatusRunning, unsureText
	}
	state.Image, state.ImageID = imageOf(seen)
	if state.Ended() {
		code := seen.State.ExitCode
		state.ExitCode = &code
	}
	if health := seen.State.Health; health != nil {
		switch known := sdk.Health(health.Status); known {
		case sdk.HealthStarting, sdk.HealthHealthy, sdk.HealthUnhealthy:
			state.Health = known
		case sdk.HealthNone:
		}
		if last := len(health.Log) - 1; last >= 0 {
			state.HealthOutput = health.Log[last].Output
		}
	}
	addNetwork(&state, seen)
	return state
}

// restartOf is what the engine does when the container ends. containerd has it in
// a label.
func restartOf(seen inspected) sdk.RestartPolicy {
	name, retries := seen.HostConfig.RestartPolicy.Name, seen.HostConfig.RestartPolicy.MaximumRetryCount
	if label := seen.Config.Labels["containerd.io/restart.policy"]; label != "" {
		var count string
		name, count, _ = strings.Cut(label, ":")
		retries, _ = strconv.Atoi(count)
	}
	switch name {
	case "always", "unless-stopped":
		return sdk.RestartPolicy{Mode: sdk.RestartAlways}
	case "on-failure":
		return sdk.RestartPolicy{Mode: sdk.RestartOnFailure, MaxRetries: retries}
	}
	return sdk.RestartPolicy{}
}

// imageOf is the image's name as people write it, and its id where it is known.
// nerdctl has the name, in full, where the others have the id.
func imageOf(seen inspected) (name, id string) {
	name = seen.Config.Image
	if name == "" {
		name = seen.ImageName
	}
	if digest := strings.TrimPrefix(seen.Image, "sha256:"); len(digest) == 64 && strings.Trim(digest, "0123456789abcdef") == "" {
		id = seen.Image
	} else if name == "" {
		name = seen.Image
	}
	for _, prefix := range []string{"docker.io/library/", "docker.io/", "localhost/"} {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			return rest, id
		}
	}
	return name, id
}

func addNetwork(state *sdk.State, seen inspected) {
	for port, bindings := range seen.NetworkSettings.Ports {
		for _, binding := range bindings {
			state.Ports = append(state.Ports, bindingOf(port, binding.HostIP, binding.HostPort))
		}
	}
	slices.SortFunc(state.Ports, func(a, b sdk.PortBinding) int {
		return cmp.Or(
			cmp.Compare(a.ContainerPort, b.ContainerPort), cmp.Compare(a.HostPort, b.HostPort),
			cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.HostIP, b.HostIP),
		)
	})
	for _, network := range seen.NetworkSettings.Networks {
		if network.IPAddress != "" && !slices.Contains(state.Addresses, network.IPAddress) {
			state.Addresses = append(state.Addresses, network.IPAddress)
		}
	}
	slices.Sort(state.Addresses)
}

// bindingOf reads a port such as 80/tcp and where it is published.
func bindingOf(port, hostIP, hostPort string) sdk.PortBinding {
	number, protocol, _ := strings.Cut(port, "/")
	inside, _ := strconv.ParseUint(number, 10, 16)
	outside, _ := strconv.ParseUint(hostPort, 10, 16)
	if address, err := netip.ParseAddr(hostIP); err == nil {
		hostIP = address.String()
	}
	if hostIP == "" {
		hostIP = "0.0.0.0" // podman's word for every address
	}
	return sdk.PortBinding{HostIP: hostIP, HostPort: uint16(outside), ContainerPort: uint16(inside), Protocol: sdk.Protocol(protocol)}
}

// statusOf also knows containerd's and podman's own words.
func statusOf(engine string) sdk.Status {
	switch engine {
	case "configured", "initialized", "": // nerdctl has no word for it
		return sdk.StatusCreated
	case "stopping":
		return sdk.StatusRunning
	case "stopped":
		return sdk.StatusExited
	case "pausing":
		return sdk.StatusPaused
	}
	return sdk.Status(engine)
}

// checkOf is the healthcheck that the container has from its image. nerdctl
// keeps it in a label.
func checkOf(seen inspected) *sdk.Healthcheck {
	own := seen.Config.Healthcheck
	if label := seen.Config.Labels["nerdctl/healthcheck"]; own == nil && label != "" {
		own = &engineCheck{}
		if json.Unmarshal([]byte(label), own) != nil {
			return nil
		}
	}
	if own == nil || len(own.Test) == 0 || own.Test[0] == "NONE" {
		return nil
	}
	check := &sdk.Healthcheck{
		Interval: sdk.Duration(own.Interval), Timeout: sdk.Duration(own.Timeout), StartPeriod: sdk.Duration(own.StartPeriod),
		StartInterval: sdk.Duration(own.StartInterval), Retries: own.Retries, Test: own.Test,
	}
	switch own.Test[0] {
	case "CMD":
		check.Test = own.Test[1:]
	case "CMD-SHELL":
		check.Test = append([]string{"/bin/sh", "-c"}, own.Test[1:]...)
	}
	if len(check.Test) == 0 {
		return nil
	}
	return check
}

// parseTime reads the engine's times; "never" is empty or the year 1.
func parseTime(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.Year() <= 1 {
		return time.Time{}
	}
	return t
}

// Env implements sdk.EnvReader.
func (r *Runtime) Env(ctx context.Context, id string) (map[string]string, error) {
	seen, err := r.inspectOne(ctx, id)
	if err != nil {
		return nil, err
	}
	env := make(map[string]string, len(seen.Config.Env))
	for _, pair := range seen.Config.Env {
		name, value, _ := strings.Cut(pair, "=")
		env[name] = value
	}
	return env, nil
}

// PublishedPorts implements sdk.PortFinder.
func (r *Runtime) PublishedPorts(ctx context.Context) ([]sdk.PublishedPort, error) {
	ids, err := r.ids(ctx)
	if err != nil {
		return nil, err
	}
	seen, err := r.inspectAll(ctx, ids)
	if err != nil {
		return nil, err
	}
	var published []sdk.PublishedPort
	for _, one := range seen {
		state := r.stateOf(one)
		for _, binding := range state.Ports {
			published = append(published, sdk.PublishedPort{PortBinding: binding, Container: state.Name, Project: state.Project})
		}
	}
	return published, nil
}

// SetRestart implements sdk.Restarter.
func (r *Runtime) SetRestart(ctx context.Context, id string, policy sdk.RestartPolicy) error {
	if !r.dialect.updatesRestart {
		if _, err := r.inspectOne(ctx, id); err != nil {
			return err
		}
		e := sdk.Errorf(sdk.CodeUnsupported, "update", "%s can't change the restart policy of a container that is there", r.dialect.name)
		e.Hint = "recreate it: lightshuttle up --force-recreate"
		return e
	}
	_, err := r.run(ctx, call{op: "update", args: []string{"update", "--restart", r.restartPolicy(policy), id}})
	return err
}
