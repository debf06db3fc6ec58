package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"

	"github.com/spf13/cobra"

	"github.com/lightshuttle/lightshuttle/cmd/lightshuttle/exitcode"
	"github.com/lightshuttle/lightshuttle/host"
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
		return a.sessionOf(a.project)
	}
	p, err := a.loadProject(command, "")
	if err != nil {
		return nil, err
	}
	return a.sessionOf(p.manifest.Project.Name.Value)
}

func (a *app) sessionOf(name string) (*session, error) {
	runtime, err := host.Open(a.settings, a.logger)
	if err != nil {
		return nil, err
	}
	return &session{project: name, runtime: runtime}, nil
}

func (s *session) close() { _ = s.runtime.Close() } // nothing is lost with the connections

// lister is the runtime's ability to list, which most commands need.
func (s *session) lister() (sdk.Lister, error) {
	lister, ok := s.runtime.(sdk.Lister)
	if !ok {
		return nil, sdk.Errorf(sdk.CodeUnsupported, "list", "this runtime can't list its containers")
	}
	return lister, nil
}

// observe looks at all that is there of the project.
func (s *session) observe(ctx context.Context) (plan.Observed, error) {
	var observed plan.Observed
	var listErr, volumeErr error
	var all sync.WaitGroup
	if lister, ok := s.runtime.(sdk.Lister); ok {
		all.Go(func() { observed.Containers, listErr = lister.List(ctx, s.project) })
	}
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
	ports *preflight.Ports
	store *state.Store
	// notes say what was chosen for the user.
	notes []string
}

// planUp compares the project with what is there.
func (a *app) planUp(ctx context.Context, p *project, s *session, options upOptions) (*upPlan, error) {
	store, err := state.Open(p.dir)
	if err != nil {
		return nil, exitcode.With(exitcode.Wrong, err)
	}
	var observed plan.Observed
	var ports *preflight.Ports
	var observeErr, portsErr error
	var looks sync.WaitGroup
	looks.Go(func() { observed, observeErr = s.observe(ctx) })
	looks.Go(func() { ports, portsErr = preflight.LookAtPorts(ctx, s.runtime, s.project) })
	looks.Wait()
	if err := errors.Join(observeErr); err != nil {
		return nil, err
	}
	if portsErr != nil {
		return nil, portsErr
	}
	up := &upPlan{ports: ports, store: store}
	chooser := &chooser{app: a, up: up, project: s.project}
	up.stack, err = a.resolve(p, manifest.Inputs{Password: chooser.password, HostPort: chooser.hostPort, Pull: sdk.PullPolicy(options.pull)})
	if err := errors.Join(chooser.err, err); err != nil {
		return nil, err
	}
	observed.Unprepared, err = unprepared(ctx, s.runtime, up.stack)
	if err != nil {
		return nil, err
	}
	up.plan, err = plan.Up(up.stack, observed, plan.Options{Resources: options.resources, Profiles: options.profiles, Build: options.build})
	if err != nil {
		return nil, exitcode.With(exitcode.Usage, err)
	}
	return up, nil
}

// unprepared names the resources whose image has to be pulled or built.
func unprepared(ctx context.Context, runtime sdk.Runtime, stack *manifest.Stack) ([]string, error) {
	preparer, ok := runtime.(sdk.Preparer)
	if !ok {
		return nil, nil
	}
	ready := make([]bool, len(stack.Resources))
	errs := make([]error, len(stack.Resources))
	var all sync.WaitGroup
	for i := range stack.Resources {
		all.Go(func() { ready[i], errs[i] = preparer.Prepared(ctx, stack.Resources[i].Spec) })
	}
	all.Wait()
	var names []string
	for i, resource := range stack.Resources {
		if errs[i] != nil {
			return nil, errs[i]
		}
		if !ready[i] {
			names = append(names, resource.Name)
		}
	}
	return names, nil
}

// chooser chooses what the manifest leaves open, the same as in earlier runs.
type chooser struct {
	app     *app
	up      *upPlan
	project string
	err     error
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

// hostPort is the wished port if it is free, else the one of earlier runs, else
// a free one.
func (c *chooser) hostPort(resource string, wished uint16) uint16 {
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
	port := c.up.store.Port(c.project, resource)
	if port == 0 || c.holder(port) != "" {
		var err error
		if port, err = c.up.ports.Free(); err != nil {
			c.err = errors.Join(c.err, err)
			return 0
		}
		c.up.store.SetPort(c.project, resource, port)
	}
	if wished != 0 {
		c.up.notes = append(c.up.notes, fmt.Sprintf("%s: port %d is in use by %s, so it is published on %d", resource, wished, holder, port))
	}
	return port
}

func (c *chooser) holder(port uint16) string {
	return c.up.ports.Holder(sdk.PortBinding{HostIP: "127.0.0.1", HostPort: port, Protocol: sdk.TCP})
}
