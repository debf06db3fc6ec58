package sdk_test

import (
	"maps"
	"testing"

	"github.com/lightshuttle/lightshuttle/sdk"
)

func TestAContainerIsOfTheRunThatItsLabelsName(t *testing.T) {
	spec := sdk.Spec{Project: "shop", Resource: "db", Labels: map[string]string{sdk.LabelRun: "1", "own": "x"}}
	labels := spec.EngineLabels()
	if labels["own"] != "x" || !spec.Made(labels) {
		t.Errorf("it isn't of its own labels %v", labels)
	}
	delete(labels, "own")
	if !spec.Made(labels) {
		t.Error("a label of the user's decides")
	}
	for _, label := range []string{sdk.LabelProject, sdk.LabelResource, sdk.LabelRun} {
		other := maps.Clone(labels)
		other[label] = "other"
		if spec.Made(other) {
			t.Errorf("one with another %s is taken for it", label)
		}
	}
	if len(spec.Labels) != 2 {
		t.Errorf("the spec's labels became %v", spec.Labels)
	}
}
