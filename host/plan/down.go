package plan

import (
	"slices"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Down is the plan that takes down all that was seen of a project. It needs no
// manifest: the containers carry their order in their labels.
func Down(network sdk.Network, observed Observed, removeVolumes bool) (*Plan, error) {
	p := &Plan{Project: network.Project, Network: &NetworkStep{Network: network, Action: Remove}}
	seen, others := observed.newest()
	for _, state := range observed.Containers {
		newest := seen[state.Resource]
		if newest == nil || newest.ID != state.ID {
			continue
		}
		step := removal(state.Resource, newest, "the project is taken down")
		for _, name := range dependenciesOf(newest) {
			if seen[name] != nil && name != state.Resource {
				step.DependsOn = append(step.DependsOn, Dependency{Resource: name, Condition: Ready})
			}
		}
		p.Steps = append(p.Steps, step)
	}
	for _, state := range others {
		p.Steps = append(p.Steps, removal(state.Name, state, "it is left over from a run that was cut off"))
	}
	if removeVolumes {
		for _, name := range slices.Sorted(slices.Values(observed.Volumes)) {
			p.Volumes = append(p.Volumes, VolumeStep{Volume: sdk.Volume{Name: name, Project: network.Project}, Action: Remove})
		}
	}
	if err := p.sort(); err != nil {
		// Labels that make a cycle were not written by us; any order will do.
		for i := range p.Steps {
			p.Steps[i].DependsOn = nil
		}
	}
	return p, p.sort()
}
