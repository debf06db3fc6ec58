package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/lightshuttle/lightshuttle/host/plan"
	"github.com/lightshuttle/lightshuttle/host/state"
	"github.com/lightshuttle/lightshuttle/manifest"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// repair reads back from the engine what the state has lost, so that a stack
// which runs is left alone: a container knows its password and its port. It
// refuses to go on when only the data knows the password (L17). What it did is
// for people.
func (a *app) repair(ctx context.Context, p *project, s *session, store *state.Store, observed plan.Observed) (notes []string, err error) {
	if len(observed.Containers) == 0 && len(observed.Volumes) == 0 {
		return nil, nil
	}
	lost := findLost(p, s.project, store)
	newest := observed.Newest()
	var errs []error
	for _, l := range lost {
		note, err := l.repair(ctx, s, store, newest[l.resource], observed.Volumes)
		errs = append(errs, err)
		if note != "" {
			notes = append(notes, note)
		}
	}
	return notes, errors.Join(errs...)
}

// loss is what the state doesn't know of a resource.
type loss struct {
	resource string
	spec     sdk.Spec
	// variable is the one that has the password; empty when none is missing.
	variable string
	// port says that the host port is missing.
	port bool
}

// findLost resolves the manifest with placeholders, to see where what is missing
// would stand.
func findLost(p *project, projectName string, store *state.Store) []loss {
	placeholder := rand.Text()
	passwords, ports := map[string]bool{}, map[string]bool{}
	stack, _ := p.manifest.Resolve(manifest.Inputs{
		Env: p.env.value, ReadFile: os.ReadFile,
		Password: func(resource string) string {
			if kept := store.Password(projectName, resource); kept != "" {
				return kept
			}
			passwords[resource] = true
			return placeholder
		},
		HostPort: func(resource string, wished uint16) uint16 {
			ports[resource] = store.Port(projectName, resource) == 0
			return wished
		},
	})
	if stack == nil {
		return nil // what is wrong is reported when it is resolved in earnest
	}
	var lost []loss
	for _, resource := range stack.Resources {
		l := loss{resource: resource.Name, spec: resource.Spec, port: ports[resource.Name]}
		for name, value := range resource.Spec.Env {
			if passwords[resource.Name] && value == placeholder && slices.Contains(resource.Spec.SecretEnv, name) {
				l.variable = name
			}
		}
		if l.variable != "" || l.port {
			lost = append(lost, l)
		}
	}
	return lost
}

func (l loss) repair(ctx context.Context, s *session, store *state.Store, container *sdk.State, volumes []string) (note string, err error) {
	if l.port && container != nil {
		l.repairPort(s, store, container)
	}
	if l.variable == "" {
		return "", nil
	}
	password, err := l.passwordIn(ctx, s, container)
	if err != nil {
		return "", err
	}
	if password != "" {
		store.SetPassword(s.project, l.resource, password)
		return fmt.Sprintf("%s: its generated password was lost, and is read back from its container", l.resource), nil
	}
	for _, mount := range l.spec.Mounts {
		if mount.Type == sdk.MountVolume && slices.Contains(volumes, mount.Source) {
			return "", &sdk.Error{
				Code: sdk.CodeInvalid, Resource: l.resource,
				Err: fmt.Errorf("its volume %s is there, but the password that was generated with it isn't (%s)", mount.Source, store.Path()),
				Hint: "bring that file back, or set `password` to the one that the data knows; if the data isn't needed, " +
					"`lightshuttle down --volumes` removes it",
			}
		}
	}
	return "", nil
}

func (l loss) repairPort(s *session, store *state.Store, container *sdk.State) {
	if len(l.spec.Ports) == 0 {
		return
	}
	for _, binding := range container.Ports {
		if binding.ContainerPort == l.spec.Ports[0].ContainerPort && binding.HostPort != l.spec.Ports[0].HostPort {
			store.SetPort(s.project, l.resource, binding.HostPort)
		}
	}
}

// passwordIn is the password that the container was given; "" if it can't be
// known.
func (l loss) passwordIn(ctx context.Context, s *session, container *sdk.State) (string, error) {
	reader, ok := s.runtime.(sdk.EnvReader)
	if !ok || container == nil {
		return "", nil
	}
	env, err := reader.Env(ctx, container.ID)
	if sdk.IsCode(err, sdk.CodeNotFound) {
		return "", nil
	}
	return env[l.variable], err
}

// openState opens the state beside the manifest. One that is damaged is no
// obstacle as long as all that the project needs can be read back; it then comes
// with the error that says so.
func openState(dir string) (store *state.Store, damage error, err error) {
	store, err = state.Open(dir)
	if _, damaged := errors.AsType[*state.DamagedError](err); damaged {
		return state.OpenDamaged(dir), err, nil
	}
	return store, nil, err
}

// damageNote says what becomes of a damaged state.
func damageNote(store *state.Store) string {
	return fmt.Sprintf("%s is damaged; what the project needs of it was read back from its containers, and it is kept as %s.damaged-…",
		store.Path(), filepath.Base(store.Path()))
}
