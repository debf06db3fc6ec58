package main

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

type object map[string]any

// Start implements sdk.Runtime.
func (e *engine) Start(ctx context.Context, spec sdk.Spec) (string, error) {
	if err := refuse(spec); err != nil {
		return "", err
	}
	var created struct{ Id string } //nolint:revive // the engine's name
	err := e.get(ctx, "start", "POST", "/containers/create", [][2]string{{"name", spec.Name}}, creation(spec), &created)
	if err == nil {
		err = e.get(ctx, "start", "POST", container(created.Id, "/start"), nil, nil, nil)
	}
	if err == nil {
		return created.Id, nil
	}
	return "", errors.Join(named(err, spec.Resource), e.cleanUp(ctx, spec, created.Id))
}

// lateCreation is how long an engine may take to make a container whose request
// was cut off.
const lateCreation = 4 * time.Second

// cleanUp removes what a failed start has made, also when the operation is over:
// then the engine may still be making it, and its answer didn't arrive.
func (e *engine) cleanUp(ctx context.Context, spec sdk.Spec, id string) error {
	cut := ctx.Err() != nil
	ctx = context.WithoutCancel(ctx)
	if id != "" {
		return e.Remove(ctx, id)
	}
	if !cut {
		return nil
	}
	for began := time.Now(); time.Since(began) < lateCreation; {
		state, err := e.Inspect(ctx, spec.Name)
		if err == nil && spec.Made(state.Labels) {
			return e.Remove(ctx, state.ID)
		}
		if err == nil {
			return nil
		}
		if err := e.host.Sleep(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// refuse says what this runtime can't honour.
func refuse(spec sdk.Spec) error {
	if spec.Build == nil {
		return nil
	}
	return &sdk.Error{Code: sdk.CodeUnsupported, Op: "start", Resource: spec.Resource, Err: errors.New("build: this runtime builds nothing")}
}

func named(err error, resource string) error {
	e, ok := errors.AsType[*sdk.Error](err)
	if !ok {
		return err
	}
	with := *e
	with.Resource = resource
	return &with
}

// creation is the engine's document for a spec.
func creation(spec sdk.Spec) object {
	host := object{
		"NetworkMode": spec.Network, "ExtraHosts": spec.ExtraHosts, "Mounts": mounts(spec), "Tmpfs": tmpfs(spec),
		"NanoCpus": spec.Limits.NanoCPUs, "Memory": spec.Limits.MemoryBytes, "MemorySwap": spec.Limits.MemoryBytes,
		"PortBindings": bindings(spec), "RestartPolicy": restart(spec.Restart),
	}
	if spec.Limits.PIDs > 0 {
		host["PidsLimit"] = spec.Limits.PIDs
	}
	if spec.Init {
		host["Init"] = true
	}
	exposed := object{}
	for port := range bindings(spec) {
		exposed[port] = object{}
	}
	document := object{
		"Image": spec.Image, "Hostname": spec.Hostname, "User": spec.User, "Env": pairs(spec.Env),
		"Entrypoint": spec.Entrypoint, "Cmd": spec.Command, "WorkingDir": spec.WorkingDir, "Labels": spec.EngineLabels(),
		"StopSignal": spec.Stop.Signal, "ExposedPorts": exposed, "HostConfig": host,
	}
	if spec.Healthcheck != nil {
		document["Healthcheck"] = healthcheck(*spec.Healthcheck)
	}
	if spec.Network != "" {
		document["NetworkingConfig"] = object{"EndpointsConfig": object{spec.Network: object{"Aliases": spec.Aliases}}}
	}
	return document
}

func pairs(env map[string]string) []string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(env)) {
		list = append(list, name+"="+env[name])
	}
	return list
}

func bindings(spec sdk.Spec) map[string][]object {
	all := map[string][]object{}
	for _, port := range spec.Ports {
		protocol := port.Protocol
		if protocol == "" {
			protocol = sdk.TCP
		}
		key := strconv.Itoa(int(port.ContainerPort)) + "/" + string(protocol)
		chosen := ""
		if port.HostPort != 0 {
			chosen = strconv.Itoa(int(port.HostPort))
		}
		all[key] = append(all[key], object{"HostIp": port.HostIP, "HostPort": chosen})
	}
	return all
}

func mounts(spec sdk.Spec) []object {
	var list []object
	for _, m := range spec.Mounts {
		if m.Type != sdk.MountTmpfs {
			list = append(list, object{"Type": m.Type, "Source": m.Source, "Target": m.Target, "ReadOnly": m.ReadOnly})
		}
	}
	return list
}

func tmpfs(spec sdk.Spec) map[string]string {
	all := map[string]string{}
	for _, m := range spec.Mounts {
		if m.Type != sdk.MountTmpfs {
			continue
		}
		all[m.Target] = m.Options
		if m.ReadOnly {
			all[m.Target] = strings.Trim("ro,"+m.Options, ",")
		}
	}
	return all
}

func restart(policy sdk.RestartPolicy) object {
	switch policy.Mode {
	case sdk.RestartAlways:
		return object{"Name": "unless-stopped"}
	case sdk.RestartOnFailure:
		return object{"Name": "on-failure", "MaximumRetryCount": policy.MaxRetries}
	case sdk.RestartNo:
	}
	return object{"Name": "no"}
}

func healthcheck(check sdk.Healthcheck) object {
	if check.Disable || len(check.Test) == 0 {
		return object{"Test": []string{"NONE"}}
	}
	return object{
		"Test": append([]string{"CMD"}, check.Test...), "Interval": check.Interval.Std(), "Timeout": check.Timeout.Std(),
		"StartPeriod": check.StartPeriod.Std(), "Retries": check.Retries,
	}
}

// Stop implements sdk.Runtime.
func (e *engine) Stop(ctx context.Context, id string, grace time.Duration) error {
	seconds := int((grace + time.Second - 1) / time.Second)
	err := e.get(ctx, "stop", "POST", container(id, "/stop"), [][2]string{{"t", strconv.Itoa(max(seconds, 0))}}, nil, nil)
	return unlessGone(err)
}

// Remove implements sdk.Remover.
func (e *engine) Remove(ctx context.Context, id string) error {
	for {
		err := e.get(ctx, "remove", "DELETE", container(id, ""), [][2]string{{"force", "1"}, {"v", "1"}}, nil, nil)
		if err == nil || !strings.Contains(err.Error(), "already in progress") {
			return unlessGone(err)
		}
		if err := e.host.Sleep(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

func unlessGone(err error) error {
	if sdk.IsCode(err, sdk.CodeNotFound) {
		return nil
	}
	return err
}
