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
	// Build builds, and Pull pulls, the images of containers that already run,
	// too.
	Build bool
	Pull  bool
	// ForceRecreate replaces containers that are as they should be: of the named
	// Resources, or else of all that are wanted.
	ForceRecreate bool
}

// Up is the plan that brings the stack up. Where Resources are named, nothing
// else is touched, but for what they need. It fails for a resource that doesn't
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
		step := stepFor(resource, seen[resource.Name], wanted, completes[resource.Name])
		step.Action, step.Reason = decide(&step, options)
		delete(seen, resource.Name)
		p.Steps = append(p.Steps, step)
	}
	p.restartWith()
	for _, state := range observed.Containers {
		gone := seen[state.Resource]
		if gone != nil && gone.ID == state.ID && len(options.Resources) == 0 {
			p.Steps = append(p.Steps, removal(state.Resource, gone, "it is no longer in the manifest"))
		}
	}
	for _, state := range others {
		if len(options.Resources) == 0 || wanted[state.Resource] {
			p.Steps = append(p.Steps, removal(state.Name, state, "it is left over from a run that was cut off"))
		}
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

// completing are the resources that are meant to complete: by their kind, or
// because somebody waits for it.
func completing(stack *manifest.Stack) map[string]bool {
	completes := map[string]bool{}
	for _, resource := range stack.Resources {
		if resource.Completes {
			completes[resource.Name] = true
		}
		for _, dependency := range resource.DependsOn {
			if dependency.Condition == manifest.Completed {
				completes[dependency.Resource] = true
			}
		}
	}
	return completes
}

func stepFor(resource *manifest.StackResource, previous *sdk.State, wanted map[string]bool, completes bool) Step {
	step := Step{
		Resource: resource.Name, Kind: resource.Kind, Spec: &resource.Spec, Completes: completes,
		StartTimeout: resource.StartTimeout, StableFor: resource.StableFor, Grace: resource.Spec.Stop.Grace.Std(),
		Restart: resource.Restart, Previous: previous,
	}
	for _, name := range resource.RestartWith {
		if wanted[name] {
			step.RestartWith = append(step.RestartWith, name)
		}
	}
	for _, dependency := range resource.DependsOn {
		step.DependsOn = append(step.DependsOn, Dependency{Resource: dependency.Resource, Condition: Condition(dependency.Condition)})
	}
	return step
}

// decide compares a resource with the container that was seen of it.
func decide(step *Step, options Options) (Action, string) {
	spec, previous := step.Spec, step.Previous
	if previous == nil {
		return Create, "it isn't there"
	}
	completed := step.Completes && previous.Ended() && previous.ExitCode != nil && *previous.ExitCode == 0
	named := len(options.Resources) == 0 || slices.Contains(options.Resources, step.Resource)
	switch {
	case previous.Labels[sdk.LabelHash] != spec.Labels[sdk.LabelHash]:
		return Recreate, difference(spec, previous)
	case options.ForceRecreate && named:
		return Recreate, "it is recreated, as it was asked for"
	case options.Build && spec.Build != nil:
		return Recreate, "it is built anew, as it was asked for"
	case options.Pull && spec.Build == nil:
		return Recreate, "its image is pulled anew, as it was asked for"
	case completed:
		return Keep, "it has completed"
	case previous.Ended() && previous.ExitCode != nil:
		return Recreate, fmt.Sprintf("it is %s (code %d)", previous.Status, *previous.ExitCode)
	case previous.Status != sdk.StatusRunning:
		return Recreate, fmt.Sprintf("it is %s", previous.Status)
	case previous.Health == sdk.HealthUnhealthy:
		return Recreate, "it is unhealthy"
	case previous.Health == sdk.HealthStarting:
		return Keep, "it is on its way"
	case spec.Build != nil:
		return Keep, "it runs as it should; changes in its sources count with --build"
	}
	return Keep, "it runs as it should"
}

// restartWith recreates what is to be restarted with something that is made
// anew.
func (p *Plan) restartWith() {
	made := map[string]Action{}
	for _, step := range p.Steps {
		if step.Action != Keep {
			made[step.Resource] = step.Action
		}
	}
	for again := true; again; {
		again = false
		for i := range p.Steps {
			step := &p.Steps[i]
			with := slices.IndexFunc(step.RestartWith, func(name string) bool { return made[name] != "" })
			if step.Action != Keep || with < 0 {
				continue
			}
			name := step.RestartWith[with]
			step.Action = Recreate
			step.Reason = fmt.Sprintf("it restarts with %s, which is %sd", name, made[name])
			made[step.Resource] = Recreate
			again = true
		}
	}
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
