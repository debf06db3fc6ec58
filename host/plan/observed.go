package plan

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Observed is what was seen of a project before anything is done.
type Observed struct {
	Containers []sdk.State
	// Volumes are the names of the project's volumes.
	Volumes []string
}

// Newest returns the container of each resource.
func (o Observed) Newest() map[string]*sdk.State {
	byResource, _ := o.newest()
	return byResource
}

// newest returns the container of each resource. An earlier run that was cut
// off may have left several; the others are returned too.
func (o Observed) newest() (byResource map[string]*sdk.State, others []*sdk.State) {
	sorted := slices.Clone(o.Containers)
	slices.SortFunc(sorted, func(a, b sdk.State) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	byResource = make(map[string]*sdk.State, len(sorted))
	for i := range sorted {
		state := &sorted[i]
		if byResource[state.Resource] != nil {
			others = append(others, state)
			continue
		}
		byResource[state.Resource] = state
	}
	return byResource, others
}

// dependenciesOf reads a container's dependencies from its label.
func dependenciesOf(state *sdk.State) []string {
	label := state.Labels[sdk.LabelDependsOn]
	if label == "" {
		return nil
	}
	return strings.Split(label, ",")
}

func graceOf(state *sdk.State) time.Duration {
	ms, err := strconv.ParseInt(state.Labels[sdk.LabelGrace], 10, 64)
	if err != nil || ms < 0 {
		return 0
	}
	return time.Duration(ms) * time.Millisecond
}
