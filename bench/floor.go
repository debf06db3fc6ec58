package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/client"
	"github.com/docker/go-connections/nat"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/probe"
)

// floor brings a stack up by hand: no plan, no labels to look for, no events,
// no error handling worth the name. It probes as LightShuttle does. It prints
// "ready", waits for a signal, and takes everything down.
type floor struct {
	api     *client.Client
	project string
	// places bounds the starts as LightShuttle's default does: more at a time
	// are slower.
	places chan struct{}
	mu     sync.Mutex
	ids    []string
}

const floorParallel = 16

func runFloor(s stack) error {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt)
	transport := &http.Transport{MaxIdleConns: 64, MaxIdleConnsPerHost: 64}
	api, err := client.NewClientWithOpts(client.WithHTTPClient(&http.Client{Transport: transport}), client.WithHost(client.DefaultDockerHost), client.WithAPIVersionNegotiation())
	if err != nil {
		return err
	}
	f := &floor{api: api, project: s.project("floor"), places: make(chan struct{}, floorParallel)}
	ctx := context.Background()
	err = f.up(ctx, s)
	if err == nil {
		fmt.Println("ready")
		<-stop
	}
	return errors.Join(err, f.down(ctx))
}

func (f *floor) up(ctx context.Context, s stack) error {
	_, err := f.api.NetworkCreate(ctx, f.project, network.CreateOptions{Labels: map[string]string{benchLabel: f.project}})
	if err != nil {
		return err
	}
	ready := map[string]chan struct{}{}
	for _, one := range s.Services {
		ready[one.Name] = make(chan struct{})
	}
	errs := make([]error, len(s.Services))
	var all sync.WaitGroup
	for i, one := range s.Services {
		all.Go(func() {
			for _, need := range one.Needs {
				<-ready[need]
			}
			errs[i] = f.start(ctx, one)
			close(ready[one.Name])
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

const benchLabel = "lightshuttle.bench"

func (f *floor) start(ctx context.Context, one service) error {
	f.places <- struct{}{}
	id, err := f.create(ctx, one)
	<-f.places
	if err != nil || one.Check == nil {
		return err
	}
	check := sdk.Healthcheck{
		Test: one.Check.Test, Interval: sdk.Duration(one.Check.Interval), Timeout: sdk.Duration(one.Check.Timeout),
		StartPeriod: sdk.Duration(one.Check.Start), Retries: one.Check.Retries,
	}
	return probe.Until(ctx, check, func(ctx context.Context) (probe.Result, error) {
		code, err := f.exec(ctx, id, one.Check.Test)
		return probe.Result{Passed: code == 0}, err
	})
}

func (f *floor) create(ctx context.Context, one service) (string, error) {
	configuration := &container.Config{Image: one.Image, Cmd: one.Command, Labels: map[string]string{benchLabel: f.project}}
	for name, value := range one.Env {
		configuration.Env = append(configuration.Env, name+"="+value)
	}
	if one.Check != nil {
		configuration.Healthcheck = &container.HealthConfig{
			Test: append([]string{"CMD"}, one.Check.Test...), Interval: one.Check.Interval, Timeout: one.Check.Timeout,
			StartPeriod: one.Check.Start, Retries: one.Check.Retries,
		}
	}
	host := &container.HostConfig{NetworkMode: container.NetworkMode(f.project)}
	if one.Postgres {
		configuration.ExposedPorts = nat.PortSet{"5432/tcp": {}}
		host.PortBindings = nat.PortMap{"5432/tcp": {{HostIP: "127.0.0.1"}}}
	}
	networking := &network.NetworkingConfig{EndpointsConfig: map[string]*network.EndpointSettings{f.project: {Aliases: []string{one.Name}}}}
	created, err := f.api.ContainerCreate(ctx, configuration, host, networking, nil, f.project+"."+one.Name)
	if err != nil {
		return "", err
	}
	f.mu.Lock()
	f.ids = append(f.ids, created.ID)
	f.mu.Unlock()
	return created.ID, f.api.ContainerStart(ctx, created.ID, container.StartOptions{})
}

func (f *floor) exec(ctx context.Context, id string, command []string) (int, error) {
	created, err := f.api.ContainerExecCreate(ctx, id, container.ExecOptions{Cmd: command, AttachStdout: true, AttachStderr: true})
	if err != nil {
		return 0, err
	}
	stream, err := f.api.ContainerExecAttach(ctx, created.ID, container.ExecAttachOptions{})
	if err != nil {
		return 0, err
	}
	defer stream.Close()
	buffer := make([]byte, 4096)
	for err == nil {
		_, err = stream.Reader.Read(buffer)
	}
	seen, err := f.api.ContainerExecInspect(ctx, created.ID)
	for err == nil && seen.Running {
		time.Sleep(time.Millisecond)
		seen, err = f.api.ContainerExecInspect(ctx, created.ID)
	}
	return seen.ExitCode, err
}

func (f *floor) down(ctx context.Context) error {
	errs := make([]error, len(f.ids))
	var all sync.WaitGroup
	for i, id := range f.ids {
		all.Go(func() {
			grace := 10
			errs[i] = errors.Join(
				f.api.ContainerStop(ctx, id, container.StopOptions{Timeout: &grace}),
				f.api.ContainerRemove(ctx, id, container.RemoveOptions{Force: true, RemoveVolumes: true}),
			)
		})
	}
	all.Wait()
	return errors.Join(append(errs, f.api.NetworkRemove(ctx, f.project))...)
}

// interrupt is what all subjects are stopped with.
var interrupt = syscall.SIGINT
