package main

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lightshuttle/lightshuttle/cmd/lightshuttle/exitcode"
	"github.com/lightshuttle/lightshuttle/host/lifecycle"
	"github.com/lightshuttle/lightshuttle/host/state"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// save keeps what has to be kept. What is only good to know isn't worth an
// error: a folder may be read-only.
func (a *app) save(store *state.Store) error {
	needed := store.Needed()
	err := store.Save()
	if err != nil && !needed {
		a.logger.Warn("some of the project's state could not be kept", "error", err)
		return nil
	}
	return exitcode.With(exitcode.Wrong, err)
}

// stateDir is the folder that has the state of the project: that of the
// manifest, if there is one.
func (a *app) stateDir(s *session) string {
	if s.manifest != "" {
		return filepath.Dir(s.manifest)
	}
	path, err := a.manifestPath()
	if err != nil {
		return ""
	}
	return filepath.Dir(path)
}

// kept opens the state for what can do without it; nil when there is none.
func (a *app) kept(s *session) *state.Store {
	dir := a.stateDir(s)
	if dir == "" {
		return nil
	}
	store, err := state.Open(dir)
	if err != nil {
		a.logger.Warn("the state of earlier runs can't be read", "error", err)
		return nil
	}
	return store
}

// list returns the project's containers. A runtime that can't list them is asked
// for each of those that were written down.
func (s *session) list(ctx context.Context) ([]sdk.State, error) {
	if lister, ok := s.runtime.(sdk.Lister); ok {
		return lister.List(ctx, s.project)
	}
	if s.manifest == "" {
		return nil, sdk.Errorf(sdk.CodeUnsupported, "list", "this runtime can't list its containers, and without the manifest there is no state that names them")
	}
	store, err := state.Open(filepath.Dir(s.manifest))
	if err != nil {
		return nil, err
	}
	var states []sdk.State
	containers := store.Containers(s.project)
	for _, resource := range slices.Sorted(maps.Keys(containers)) {
		seen, err := s.look(ctx, resource, containers[resource])
		if sdk.IsCode(err, sdk.CodeNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		states = append(states, seen)
	}
	return states, nil
}

// look is what the runtime sees of a container that was written down. One that
// can't look at a container is believed to run it.
func (s *session) look(ctx context.Context, resource string, container state.Container) (sdk.State, error) {
	seen := sdk.State{ID: container.ID, Status: sdk.StatusRunning, Health: sdk.HealthNone}
	if inspector, ok := s.runtime.(sdk.Inspector); ok {
		var err error
		if seen, err = inspector.Inspect(ctx, container.ID); err != nil {
			return seen, err
		}
	}
	seen.Project, seen.Resource = s.project, resource
	if seen.Name == "" {
		seen.Name = container.Name
	}
	if len(seen.Labels) == 0 {
		seen.Labels = container.Labels
	}
	return seen, nil
}

// remember writes down the containers of a runtime that can't list them, until
// the manager is closed.
func (a *app) remember(manager *lifecycle.Manager, s *session, up *upPlan) {
	if _, lists := s.runtime.(sdk.Lister); lists {
		return
	}
	specs := map[string]*sdk.Spec{}
	for _, step := range up.plan.Steps {
		if step.Spec != nil {
			specs[step.Resource] = step.Spec
		}
	}
	for event := range manager.Events().Since(context.Background(), 0) {
		spec := specs[event.Resource]
		if event.Type != lifecycle.ResourceStarted || spec == nil || event.ID == "" {
			continue
		}
		up.store.SetContainer(s.project, event.Resource, state.Container{ID: event.ID, Name: spec.Name, Labels: spec.Labels})
		if err := up.store.Save(); err != nil {
			a.logger.Error("a container could not be written down, so only this run can find it", "resource", event.Resource, "id", event.ID, "error", err)
		}
	}
}

// noteStopped writes down which containers the user has stopped.
func (a *app) noteStopped(s *session, containers map[string]string) error {
	store := a.kept(s)
	if store == nil {
		return nil
	}
	for resource, id := range containers {
		store.SetStopped(s.project, resource, id)
	}
	return a.save(store)
}

// stopped tells which container of a resource the user has stopped.
func (s *session) stopped(a *app) func(resource string) string {
	store := a.kept(s)
	if store == nil {
		return func(string) string { return "" }
	}
	return func(resource string) string { return store.Stopped(s.project, resource) }
}

// forget drops what was kept of a project that was taken down: with its data all
// of it, else only what ran.
func (a *app) forget(s *session, all bool) {
	store := a.kept(s)
	if store == nil {
		return
	}
	store.Ended(s.project)
	if all {
		store.Forget(s.project)
	}
	if err := store.Save(); err != nil {
		a.logger.Warn("the state of the project could not be brought up to date", "error", err)
	}
}

// tellOfEarlierNames says that the manifest had another project name when it was
// brought up, and that what it ran then is still there.
func (a *app) tellOfEarlierNames(ctx context.Context, s *session, store *state.Store) {
	lister, ok := s.runtime.(sdk.Lister)
	if !ok || store == nil {
		return
	}
	for _, name := range store.Earlier(s.project, s.manifest) {
		states, err := lister.List(ctx, name)
		if err != nil || len(states) == 0 {
			continue
		}
		resources := make([]string, len(states))
		for i, seen := range states {
			resources[i] = seen.Resource
		}
		slices.Sort(resources)
		fmt.Fprintf(a.stderr, "this manifest's project was called %s before, and its containers are still there (%s): `lightshuttle down -p %s` removes them\n",
			name, strings.Join(resources, ", "), name)
	}
}
