package sdk

import (
	"fmt"
	"maps"
)

// EngineLabels are the labels that a container of the spec has on its engine.
func (s Spec) EngineLabels() map[string]string {
	labels := map[string]string{LabelProject: s.Project, LabelResource: s.Resource}
	maps.Copy(labels, s.Labels)
	return labels
}

// Made says whether a container with these labels was made for this very run of the
// spec.
func (s Spec) Made(labels map[string]string) bool {
	wanted := s.EngineLabels()
	for _, label := range []string{LabelProject, LabelResource, LabelRun} {
		if labels[label] != wanted[label] {
			return false
		}
	}
	return true
}

// ImageMissing is the error for an image that must not be pulled, and isn't there.
func (s Spec) ImageMissing() error {
	return &Error{
		Code: CodeImageNotFound, Op: "start", Resource: s.Resource,
		Err:  fmt.Errorf("the image %s isn't on this engine, and pull is \"never\"", s.Image),
		Hint: "build or pull it first, or set pull: missing",
	}
}
