package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/spf13/cobra"

	"github.com/lightshuttle/lightshuttle/cmd/lightshuttle/exitcode"
	"github.com/lightshuttle/lightshuttle/host"
	"github.com/lightshuttle/lightshuttle/host/lifecycle"
	"github.com/lightshuttle/lightshuttle/host/plan"
	"github.com/lightshuttle/lightshuttle/host/preflight"
	"github.com/lightshuttle/lightshuttle/host/state"
	"github.com/lightshuttle/lightshuttle/manifest"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// session is a project on a runtime.
type session struct {
	project string
	runtime host.Runtime
	// manifest is the path of the manifest; empty without one.
	manifest string
	// events are heard from before the first look by who is going to supervise;
	// nil for others.
	events *lifecycle.Subscription
}

// openSession opens the runtime for the project that is meant: that of the
// manifest, or the one that -p names.
func (a *app) openSession(command *cobra.Command) (*session, error) {
	if a.project != "" {
		if !manifest.ValidName(a.project) {
			return nil, usage("%q can't name a project", a.project)
		}
		if err := a.loadSettings(command, ""); err != nil {
			return nil, err
		}
		return a.sessionOf(command.Context(), host.Project{Name: a.project})
	}
	p, err := a.loadProject(command, "")
	if err != nil {
		return nil, err
	}
	return a.sessionFor(command.Context(), p)
}

func (a *app) sessionFor(ctx context.Context, p *project) (*session, error) {
	s, err := a.sessionOf(ctx, host.Project{Name: p.manifest.Project.Name.Value, Runtimes: p.manifest.Runtimes()})
	if err != nil {
		return nil, err
	}
	s.manifest = p.manifest.File
	return s, nil
}

func (a *app) sessionOf(ctx context.Context, project host.Project) (*session, error) {
	runtime, err := host.Open(ctx, a.settings, project, a.logger)
	if err != nil {
		return nil, err
	}
	return &session{project: project.Name, runtime: runtime}, nil
}

func (s *session) close() { _ = s.runtime.Close() } // nothing is lost with the connections

// observe looks at all that is there of the project.
func (s *session) observe(ctx context.Context) (plan.Observed, error) {
	var observed plan.Observed
	var listErr, volumeErr error
	var all sync.WaitGroup
	all.Go(func() { observed.Containers, listErr = s.list(ctx) })
	if volumer, ok := s.runtime.(sdk.Volumer); ok {
		all.Go(func() {
			var volumes []sdk.Volume
			volumes, volumeErr = volumer.ListVolumes(ctx, s.project)
			for _, volume := range volumes {
				observed.Volumes = append(observed.Volumes, volume.Name)
			}
		})
	}
	all.Wait()
	if listErr != nil {
		return observed, listErr
	}
	return observed, volumeErr
}

// upPlan is all that `up` and `plan` find out before anything is changed.
type upPlan struct {
	plan  *plan.Plan
	stack *manifest.Stack
	// ports looks at the host's ports, once, when somebody has to know.
	ports func() (*preflight.Ports, error)
	store *state.Store
	// notes say what was chosen for the user.
	notes []string
}

// planUp compares the project with what is there.
func (a *app) planUp(ctx context.Context, p *project, s *session, options upOptions) (*upPlan, error) {
	store, damage, err := openState(p.dir)
	if err != nil {
		return nil, exitcode.With(exitcode.Wrong, err)
	}
	if _, ran := store.Run(s.project); ran {
		// What is going to be adopted is looked at only once.
		if err := s.events.Stand(ctx); err != nil {
			return nil, err
		}
	}
	observed, err := s.observe(ctx)
	if err != nil {
		return nil, err
	}
	up := &upPlan{store: store, ports: sync.OnceValues(func() (*preflight.Ports, error) {
		return preflight.LookAtPorts(ctx, s.runtime, s.project)
	})}
	if up.notes, err = a.repair(ctx, p, s, store, observed); err != nil {
		return nil, exitcode.With(exitcode.Wrong, errors.Join(damage, err))
	}
	if damage != nil {
		up.notes = append(up.notes, damageNote(store))
	}
	chooser := &chooser{app: a, up: up, project: s.project}
	if !options.forceRecreate {
		chooser.observed = observed.Containers
	}
	up.stack, err = a.resolve(p, manifest.Inputs{Password: chooser.password, HostPort: chooser.hostPort, Pull: sdk.PullPolicy(options.pull)})
	if err := errors.Join(chooser.err, err); err != nil {
		return nil, err
	}
	up.plan, err = plan.Up(up.stack, observed, plan.Options{
		Resources: options.resources, Profiles: options.profiles, Build: options.build,
		Pull: options.pull == string(sdk.PullAlways), ForceRecreate: options.forceRecreate,
	})
	if err != nil {
		return nil, exitcode.With(exitcode.Usage, err)
	}
	return up, prepareImages(ctx, s.runtime, up.plan)
}

// prepareImages looks which images have to be pulled or built for the plan.
// Resources that share an image share the look, which for some engines is a
// process.
func prepareImages(ctx context.Context, runtime sdk.Runtime, p *plan.Plan) error {
	preparer, ok := runtime.(sdk.Preparer)
	if !ok {
		return nil
	}
	type image struct {
		runtime, name string
		pull          sdk.PullPolicy
		builds        *sdk.Build
	}
	users := map[image][]*plan.Step{}
	for i := range p.Steps {
		if step := &p.Steps[i]; step.Makes() {
			of := image{step.Spec.Runtime, step.Spec.Image, step.Spec.Pull, step.Spec.Build}
			users[of] = append(users[of], step)
		}
	}
	errs := make(chan error, len(users))
	for _, steps := range users {
		go func() {
			prepared, err := preparer.Prepared(ctx, *steps[0].Spec)
			for _, step := range steps {
				if !prepared {
					step.PrepareImage()
				}
			}
			errs <- err
		}()
	}
	var failed error
	for range users {
		failed = cmp.Or(failed, <-errs)
	}
	return failed
}

// chooser chooses what the manifest leaves open, the same as in earlier runs.
type chooser struct {
	app     *app
	up      *upPlan
	project string
	// observed are the containers whose ports are kept as they are.
	observed []sdk.State
	err      error
}

const passwordLength = 24

func (c *chooser) password(resource string) string {
	if kept := c.up.store.Password(c.project, resource); kept != "" {
		return kept
	}
	generated := rand.Text()[:passwordLength]
	c.up.store.SetPassword(c.project, resource, generated)
	return generated
}

// hostPort is the one that is published already, else the wished port if it is
// free, else the one of earlier runs, else a free one.
func (c *chooser) hostPort(resource string, wished uint16) uint16 {
	kept := c.up.store.Port(c.project, resource)
	for _, port := range []uint16{wished, kept} {
		if port != 0 && c.publishes(resource, port) {
			return port
		}
	}
	holder := ""
	if wished != 0 {
		holder = c.holder(wished)
		if holder == "" {
			return wished
		}
		if c.app.strict {
			c.err = errors.Join(c.err, &sdk.Error{
				Code: sdk.CodePortInUse, Resource: resource, Err: fmt.Errorf("port %d is in use by %s", wished, holder),
				Hint: "stop that, or leave out --strict to have another port chosen",
			})
			return wished
		}
	}
	port := kept
	if port == 0 || c.holder(port) != "" {
		port = c.freePort()
		c.up.store.SetPort(c.project, resource, port)
	}
	if wished != 0 {
		c.up.notes = append(c.up.notes, fmt.Sprintf("%s: port %d is in use by %s, so it is published on %d", resource, wished, holder, port))
	}
	return port
}

// publishes says whether the resource runs with that port already.
func (c *chooser) publishes(resource string, port uint16) bool {
	return slices.ContainsFunc(c.observed, func(state sdk.State) bool {
		return state.Resource == resource && slices.ContainsFunc(state.Ports, func(binding sdk.PortBinding) bool { return binding.HostPort == port })
	})
}

// look is called when nothing else tells.
func (c *chooser) look() *preflight.Ports {
	ports, err := c.up.ports()
	c.err = cmp.Or(c.err, err)
	return ports
}

func (c *chooser) freePort() uint16 {
	port, err := c.look().Free()
	c.err = errors.Join(c.err, err)
	return port
}

func (c *chooser) holder(port uint16) string {
	return c.look().Holder(sdk.PortBinding{HostIP: "127.0.0.1", HostPort: port, Protocol: sdk.TCP})
}
