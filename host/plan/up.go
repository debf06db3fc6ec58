package plan

import (
	"fmt"
	"slices"

	"github.com/lightshuttle/lightshuttle/host/graph"
	"github.com/lightshuttle/lightshuttle/manifest"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// Options choose what of a stack is wanted.
type Options struct {
	// Resources are the wanted ones; what they depend on comes with them. None
	// means all, but for those that belong to profiles which aren't wanted.
	Resources []string
	Profiles  []string
	// Build builds the images of containers that already run, too.
	Build bool
}

// Up is the plan that brings the stack up. It fails for a resource that doesn't
// exist.
func Up(stack *manifest.Stack, observed Observed, options Options) (*Plan, error) {
	wanted, err := selected(stack, options)
	if err != nil {
		return nil, err
	}
	seen, others := observed.newest()
	p := &Plan{Project: stack.Project, Network: &NetworkStep{Network: stack.Network, Action: Create}}
	if len(observed.Containers) > 0 {
		p.Network.Action = Keep
	}
	completes := completing(stack)
	for i := range stack.Resources {
		resource := &stack.Resources[i]
		if !wanted[resource.Name] {
			delete(seen, resource.Name)
			continue
		}
		step := stepFor(resource, seen[resource.Name], completes[resource.Name], options.Build)
		if step.Action != Keep && slices.Contains(observed.Unprepared, resource.Name) {
			step.Prepare = Pull
			if resource.Spec.Build != nil {
				step.Prepare = Build
			}
		}
		delete(seen, resource.Name)
		p.Steps = append(p.Steps, step)
	}
	for _, state := range observed.Containers {
		if seen[state.Resource] != nil && seen[state.Resource].ID == state.ID {
			p.Steps = append(p.Steps, removal(state.Resource, seen[state.Resource], "it is no longer in the manifest"))
		}
	}
	for _, state := range others {
		p.Steps = append(p.Steps, removal(state.Name, state, "it is left over from a run that was cut off"))
	}
	p.volumes(stack, observed)
	return p, p.sort()
}

// selected are the names of the resources that are wanted.
func selected(stack *manifest.Stack, options Options) (map[string]bool, error) {
	nodes := make([]graph.Node, len(stack.Resources))
	var named []string
	for i, resource := range stack.Resources {
		nodes[i].Name = resource.Name
		for _, dependency := range resource.DependsOn {
			nodes[i].DependsOn = append(nodes[i].DependsOn, dependency.Resource)
		}
		if inProfile(resource.Profiles, options.Profiles) {
			named = append(named, resource.Name)
		}
	}
	if len(options.Resources) > 0 {
		named = options.Resources
	}
	g, err := graph.New(nodes)
	if err != nil {
		return nil, fmt.Errorf("project %s: %w", stack.Project, err)
	}
	closure, err := g.Closure(named...)
	if err != nil {
		return nil, &sdk.Error{Code: sdk.CodeNotFound, Err: fmt.Errorf("project %s: %w", stack.Project, err)}
	}
	wanted := map[string]bool{}
	for i, needed := range closure {
		wanted[g.Name(i)] = needed
	}
	return wanted, nil
}

func inProfile(own, wanted []string) bool {
	if len(own) == 0 {
		return true
	}
	return slices.ContainsFunc(own, func(profile string) bool { return slices.Contains(wanted, profile) })
}

// completing are the resources that somebody waits for to complete.
func completing(stack *manifest.Stack) map[string]bool {
	completes := map[string]bool{}
	for _, resource := range stack.Resources {
		for _, dependency := range resource.DependsOn {
			if dependency.Condition == manifest.Completed {
				completes[dependency.Resource] = true
			}
		}
	}
	return completes
}

func stepFor(resource *manifest.StackResource, previous *sdk.State, completes, build bool) Step {
	step := Step{
		Resource: resource.Name, Kind: resource.Kind, Spec: &resource.Spec, Completes: completes,
		StartTimeout: resource.StartTimeout, StableFor: resource.StableFor, Grace: resource.Spec.Stop.Grace.Std(),
		Previous: previous,
	}
	for _, dependency := range resource.DependsOn {
		step.DependsOn = append(step.DependsOn, Dependency{Resource: dependency.Resource, Condition: Condition(dependency.Condition)})
	}
	step.Action, step.Reason = decide(resource, previous, completes, build)
	return step
}

// decide compares a resource with the container that was seen of it.
func decide(resource *manifest.StackResource, previous *sdk.State, completes, build bool) (Action, string) {
	switch {
	case previous == nil:
		return Create, "it isn't there"
	case previous.Labels[sdk.LabelHash] != resource.Spec.Labels[sdk.LabelHash]:
		return Recreate, "its definition has changed"
	case build && resource.Spec.Build != nil:
		return Recreate, "it is built anew, as it was asked for"
	case completes && previous.Ended() && previous.ExitCode != nil && *previous.ExitCode == 0:
		return Keep, "it has completed"
	case previous.Status != sdk.StatusRunning:
		return Recreate, fmt.Sprintf("it is %s", previous.Status)
	case previous.Health == sdk.HealthUnhealthy:
		return Recreate, "it is unhealthy"
	}
	return Keep, "it runs as it should"
}

func removal(name string, state *sdk.State, reason string) Step {
	return Step{
		Resource: name, Kind: state.Labels[sdk.LabelKind], Action: Remove, Reason: reason,
		Grace: graceOf(state), Previous: state,
	}
}

// volumes are those that a wanted resource mounts.
func (p *Plan) volumes(stack *manifest.Stack, observed Observed) {
	mounted := map[string]bool{}
	for _, step := range p.Steps {
		if step.Spec == nil {
			continue
		}
		for _, mount := range step.Spec.Mounts {
			if mount.Type == sdk.MountVolume {
				mounted[mount.Source] = true
			}
		}
	}
	for _, volume := range stack.Volumes {
		if !mounted[volume.Name] {
			continue
		}
		action := Create
		if slices.Contains(observed.Volumes, volume.Name) {
			action = Keep
		}
		p.Volumes = append(p.Volumes, VolumeStep{Volume: volume, Action: action})
	}
}

// sort puts the steps into an order in which dependencies come first.
func (p *Plan) sort() error {
	nodes := make([]graph.Node, len(p.Steps))
	for i := range p.Steps {
		nodes[i] = graph.Node{Name: p.Steps[i].Resource, DependsOn: p.Steps[i].DependencyNames()}
	}
	g, err := graph.New(nodes)
	if err != nil {
		return fmt.Errorf("project %s: %w", p.Project, err)
	}
	sorted := make([]Step, len(p.Steps))
	for at, i := range g.Order() {
		sorted[at] = p.Steps[i]
	}
	p.Steps = sorted
	return nil
}
