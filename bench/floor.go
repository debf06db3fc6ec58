package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/client"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/probe"
)

// floor brings a stack up by hand: no plan, no looking for what is there, no
// events, no error handling worth the name. It probes as LightShuttle does.
type floor struct {
	api   *client.Client
	stack stack
	// places bounds the starts as LightShuttle's default does: an engine starts
	// no more of them in parallel than it has cores for.
	places chan struct{}
	mu     sync.Mutex
	ids    []string
}

const floorParallel = 16

// runFloor is the floor's own command line.
func runFloor(args []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	switch {
	case len(args) == 1 && args[0] == "nothing": // what a process costs
		return nil
	case len(args) == 2 && args[0] == "up":
		return floorUp(ctx, args[1])
	case len(args) == 3 && args[0] == "nerdctl":
		return floorUpNerdctl(ctx, args[1], args[2])
	case len(args) == 2 && args[0] == "ps":
		return floorPs(ctx, args[1])
	}
	return errors.New("usage: floor nothing | floor up FILE | floor nerdctl PROGRAM FILE | floor ps PROJECT")
}

func floorClient() (*client.Client, error) {
	// Connections are kept: one for each start that is under way, and more.
	transport := &http.Transport{MaxIdleConns: 64, MaxIdleConnsPerHost: 64}
	return client.NewClientWithOpts(client.WithHTTPClient(&http.Client{Transport: transport}), client.WithHost(client.DefaultDockerHost), client.FromEnv, client.WithAPIVersionNegotiation())
}

// floorUp brings the stack of the file up, prints "ready", and takes it down
// when ctx ends.
func floorUp(ctx context.Context, file string) error {
	api, err := floorClient()
	if err != nil {
		return err
	}
	f := &floor{api: api, places: make(chan struct{}, floorParallel)}
	return upUntilEnd(ctx, file, &f.stack, f)
}

// upUntilEnd has a floor bring the stack of the file up, print "ready", and take
// it down when ctx ends.
func upUntilEnd(ctx context.Context, file string, s *stack, f interface {
	up(ctx context.Context) error
	down() error
},
) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, s); err != nil {
		return err
	}
	err = f.up(ctx)
	if err == nil {
		fmt.Println(floorReady)
		<-ctx.Done()
	}
	return errors.Join(err, f.down())
}

func (f *floor) up(ctx context.Context) error {
	_, err := f.api.NetworkCreate(ctx, f.stack.Project, network.CreateOptions{
		Driver: "bridge", Labels: map[string]string{sdk.LabelProject: f.stack.Project},
	})
	if err != nil {
		return err
	}
	return f.stack.inOrder(ctx, f.start)
}

// inOrder starts each service when all that it needs are ready; start returns
// when its service is.
func (s stack) inOrder(ctx context.Context, start func(context.Context, service) error) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	ready := map[string]chan struct{}{}
	for _, one := range s.Services {
		ready[one.Name] = make(chan struct{})
	}
	var all sync.WaitGroup
	for _, one := range s.Services {
		all.Go(func() {
			for _, need := range one.Needs {
				select {
				case <-ready[need]:
				case <-ctx.Done():
					return
				}
			}
			if err := start(ctx, one); err != nil {
				fail(fmt.Errorf("%s: %w", one.Name, err))
				return
			}
			close(ready[one.Name])
		})
	}
	all.Wait()
	return context.Cause(ctx)
}

// start returns when the service is ready.
func (f *floor) start(ctx context.Context, one service) error {
	f.places <- struct{}{}
	id, err := f.create(ctx, one)
	<-f.places
	if err != nil || one.Check == nil {
		return err
	}
	return probe.Until(ctx, one.Check.sdk(), func(ctx context.Context) (probe.Result, error) {
		code, err := execute(ctx, f.api, id, one.Check.Test)
		return probe.Result{Passed: code == 0}, err
	})
}

// sdk is the check in the words of the contract.
func (c *check) sdk() sdk.Healthcheck {
	return sdk.Healthcheck{
		Test: c.Test, Interval: sdk.Duration(c.Interval), Timeout: sdk.Duration(c.Timeout),
		StartPeriod: sdk.Duration(c.Start), Retries: c.Retries,
	}
}

func (f *floor) create(ctx context.Context, one service) (string, error) {
	configuration, host, networking := f.container(one)
	created, err := f.api.ContainerCreate(ctx, configuration, host, networking, nil, f.stack.Project+"."+one.Name)
	if err != nil {
		return "", err
	}
	f.mu.Lock()
	f.ids = append(f.ids, created.ID)
	f.mu.Unlock()
	return created.ID, f.api.ContainerStart(ctx, created.ID, container.StartOptions{})
}

// down stops and removes everything at once, in no order.
func (f *floor) down() error {
	ctx, cancel := context.WithTimeout(context.Background(), lastGrace)
	defer cancel()
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
	return errors.Join(append(errs, f.api.NetworkRemove(ctx, f.stack.Project))...)
}

// floorPs prints the containers of a project.
func floorPs(ctx context.Context, project string) error {
	api, err := floorClient()
	if err != nil {
		return err
	}
	list, err := api.ContainerList(ctx, container.ListOptions{All: true, Filters: filters.NewArgs(filters.Arg("label", sdk.LabelProject+"="+project))})
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return errors.New("there is nothing to list")
	}
	for _, c := range list {
		fmt.Println(strings.Join(c.Names, " "), c.Status)
	}
	return nil
}

// execute runs a command in a container and returns its exit code.
func execute(ctx context.Context, api *client.Client, id string, command []string) (int, error) {
	created, err := api.ContainerExecCreate(ctx, id, container.ExecOptions{Cmd: command, AttachStdout: true, AttachStderr: true})
	if err != nil {
		return 0, err
	}
	stream, err := api.ContainerExecAttach(ctx, created.ID, container.ExecAttachOptions{})
	if err != nil {
		return 0, err
	}
	defer stream.Close()
	buffer := make([]byte, 4096)
	for err == nil {
		_, err = stream.Reader.Read(buffer)
	}
	// The engine closes the output a moment before it knows the exit code.
	seen, err := api.ContainerExecInspect(ctx, created.ID)
	for err == nil && seen.Running {
		time.Sleep(time.Millisecond)
		seen, err = api.ContainerExecInspect(ctx, created.ID)
	}
	return seen.ExitCode, err
}
