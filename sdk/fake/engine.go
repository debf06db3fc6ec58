package fake

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// The images that every [Engine] has. Both run the program of package workload
// as /tiny; the second has a healthcheck.
const (
	Image        = "fake/tiny:1"
	CheckedImage = "fake/tinyhc:1"
)

// Program is the path of the test program in the images.
const Program = "/tiny"

// How long the engine takes for the two halves of a start. With a start that
// takes no time there is no moment at which it could be cancelled.
const (
	createTime = 10 * time.Millisecond
	startTime  = 20 * time.Millisecond
)

// Engine is a whole engine in memory: its containers really run the test
// program, with their own files, networks, logs and health. It keeps the whole
// contract, which is what the conformance suite is tested with. Where
// [Runtime] does as its script says, an Engine does what an engine would.
type Engine struct {
	mu         sync.Mutex
	containers map[string]*box
	networks   map[string]sdk.Network
	volumes    map[string]*files
	owned      map[string]sdk.Volume
	images     map[string]image
	registry   map[string]bool
	watchers   map[*watcher]struct{}
	past       []pastEvent
	nextID     int
	nextPort   uint16
}

type image struct {
	id      string
	command []string
	env     map[string]string
	check   *sdk.Healthcheck
}

// firstPort is the first of the host ports that the engine chooses.
const firstPort = 40_000

// NewEngine returns an engine without containers.
func NewEngine() *Engine {
	check := &sdk.Healthcheck{
		Test: []string{Program, "get"}, Interval: sdk.Duration(time.Second), Timeout: sdk.Duration(3 * time.Second), Retries: 3,
	}
	return &Engine{
		containers: map[string]*box{}, networks: map[string]sdk.Network{}, volumes: map[string]*files{}, owned: map[string]sdk.Volume{},
		images: map[string]image{
			Image:        {id: "image-1", command: []string{"serve"}},
			CheckedImage: {id: "image-2", command: []string{"serve"}, check: check},
		},
		registry: map[string]bool{}, watchers: map[*watcher]struct{}{}, nextPort: firstPort,
	}
}

// Ping implements sdk.Pinger.
func (e *Engine) Ping(ctx context.Context) (sdk.Info, error) {
	if err := ctx.Err(); err != nil {
		return sdk.Info{}, err
	}
	return sdk.Info{Name: "fake", Version: "1"}, nil
}

// find returns the container, or fails with CodeNotFound. The caller has the
// lock.
func (e *Engine) find(op, id string) (*box, error) {
	b := e.containers[id]
	if b == nil {
		return nil, sdk.Errorf(sdk.CodeNotFound, op, "there is no container %s", id)
	}
	return b, nil
}

// look is find for those who haven't the lock. It fails when ctx has ended.
func (e *Engine) look(ctx context.Context, op, id string) (*box, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.find(op, id)
}

func (e *Engine) named(name string) *box {
	for _, b := range e.containers {
		if b.state.Name == name {
			return b
		}
	}
	return nil
}

// pass waits as long as an engine would work.
func pass(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// Start implements sdk.Runtime.
func (e *Engine) Start(ctx context.Context, spec sdk.Spec) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if err := pass(ctx, createTime); err != nil {
		return "", err
	}
	b, err := e.create(spec)
	if err != nil {
		err.Resource = spec.Resource
		return "", err
	}
	if err := pass(ctx, startTime); err != nil {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.drop(b)
		return "", err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.containers[b.state.ID] == nil {
		return "", sdk.Errorf(sdk.CodeNotFound, "start", "it was removed while it was started")
	}
	e.launch(b)
	return b.state.ID, nil
}

func (e *Engine) create(spec sdk.Spec) (*box, *sdk.Error) {
	if err := checkMounts(spec); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	from, ok := e.images[spec.Image]
	if !ok {
		return nil, noImage("start", spec)
	}
	if spec.Entrypoint != nil && spec.Entrypoint[0] != Program {
		return nil, sdk.Errorf(sdk.CodeInvalid, "start", "the image has no program %s", spec.Entrypoint[0])
	}
	if _, ok := e.networks[spec.Network]; !ok && spec.Network != "" {
		return nil, sdk.Errorf(sdk.CodeNotFound, "start", "there is no network %s", spec.Network)
	}
	if holder := e.named(spec.Name); holder != nil {
		return nil, sdk.Errorf(sdk.CodeConflict, "start", "the name %s is taken by %s", spec.Name, holder.state.ID)
	}
	ports, err := e.bind(spec.Ports)
	if err != nil {
		return nil, err
	}
	e.nextID++
	b := newBox(fmt.Sprintf("id-%d", e.nextID), spec, from, ports)
	if err := e.mount(b); err != nil {
		return nil, err
	}
	e.containers[b.state.ID] = b
	return b, nil
}

func noImage(op string, spec sdk.Spec) *sdk.Error {
	return sdk.Errorf(sdk.CodeImageNotFound, op, "there is no image %s", spec.Image)
}

// Stop implements sdk.Runtime.
func (e *Engine) Stop(ctx context.Context, id string, grace time.Duration) error {
	b, err := e.look(ctx, "stop", id)
	if sdk.IsCode(err, sdk.CodeNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	e.mu.Lock()
	b.restart = sdk.RestartPolicy{}
	ended := b.ended
	if !b.state.Ended() && grace > 0 {
		e.signal(b)
	}
	e.mu.Unlock()
	timer := time.NewTimer(max(grace, 0))
	defer timer.Stop()
	if grace > 0 {
		select {
		case <-ended:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		}
	}
	e.mu.Lock()
	b.kill()
	e.mu.Unlock()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Remove implements sdk.Remover.
func (e *Engine) Remove(ctx context.Context, id string) error {
	b, err := e.look(ctx, "remove", id)
	if sdk.IsCode(err, sdk.CodeNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	e.mu.Lock()
	b.restart = sdk.RestartPolicy{}
	ended := b.ended
	if b.run == nil {
		e.drop(b)
		e.mu.Unlock()
		return nil
	}
	b.kill()
	e.mu.Unlock()
	select {
	case <-ended:
	case <-ctx.Done():
		return ctx.Err()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.containers[id] == nil {
		return nil
	}
	e.drop(b)
	e.tell(sdk.EventRemoved, b)
	return nil
}

// drop forgets a container and its anonymous volumes. The caller has the lock.
func (e *Engine) drop(b *box) {
	delete(e.containers, b.state.ID)
	for _, name := range b.anonymous {
		delete(e.volumes, name)
	}
}

// Inspect implements sdk.Inspector.
func (e *Engine) Inspect(ctx context.Context, id string) (sdk.State, error) {
	if err := ctx.Err(); err != nil {
		return sdk.State{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	b, err := e.find("inspect", id)
	if err != nil {
		return sdk.State{}, err
	}
	return b.snapshot(), nil
}

// List implements sdk.Lister.
func (e *Engine) List(ctx context.Context, project string) ([]sdk.State, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	var states []sdk.State
	for _, b := range e.containers {
		if b.spec.Project == project {
			states = append(states, b.snapshot())
		}
	}
	return states, nil
}

// Env implements sdk.EnvReader.
func (e *Engine) Env(ctx context.Context, id string) (map[string]string, error) {
	b, err := e.look(ctx, "inspect", id)
	if err != nil {
		return nil, err
	}
	return maps.Clone(b.env), nil
}

// SetRestart implements sdk.Restarter.
func (e *Engine) SetRestart(ctx context.Context, id string, policy sdk.RestartPolicy) error {
	b, err := e.look(ctx, "update", id)
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	b.restart = policy
	return nil
}

// Pause and Unpause change how the container is seen; its program goes on.
func (e *Engine) Pause(ctx context.Context, id string) error {
	return e.pause(ctx, id, sdk.StatusPaused, sdk.EventPaused)
}

// Unpause is the end of a Pause.
func (e *Engine) Unpause(ctx context.Context, id string) error {
	return e.pause(ctx, id, sdk.StatusRunning, sdk.EventUnpaused)
}

func (e *Engine) pause(ctx context.Context, id string, status sdk.Status, event sdk.EventType) error {
	b, err := e.look(ctx, "pause", id)
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	b.state.Status = status
	e.tell(event, b)
	return nil
}

// Leftovers names the containers and networks of the project.
func (e *Engine) Leftovers(project string) []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var left []string
	for _, b := range e.containers {
		if b.spec.Project == project {
			left = append(left, "container "+b.state.Name)
		}
	}
	for _, network := range e.networks {
		if network.Project == project {
			left = append(left, "network "+network.Name)
		}
	}
	return left
}

var (
	_ sdk.Runtime    = (*Engine)(nil)
	_ sdk.Pinger     = (*Engine)(nil)
	_ sdk.Validator  = (*Engine)(nil)
	_ sdk.Preparer   = (*Engine)(nil)
	_ sdk.Inspector  = (*Engine)(nil)
	_ sdk.Lister     = (*Engine)(nil)
	_ sdk.Remover    = (*Engine)(nil)
	_ sdk.Logger     = (*Engine)(nil)
	_ sdk.Execer     = (*Engine)(nil)
	_ sdk.Networker  = (*Engine)(nil)
	_ sdk.Volumer    = (*Engine)(nil)
	_ sdk.Restarter  = (*Engine)(nil)
	_ sdk.EnvReader  = (*Engine)(nil)
	_ sdk.PortFinder = (*Engine)(nil)
	_ sdk.Watcher    = (*Engine)(nil)
)

// Close kills all that runs, and forgets it.
func (e *Engine) Close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, b := range e.containers {
		b.restart = sdk.RestartPolicy{}
		b.kill()
	}
	clear(e.containers)
}
