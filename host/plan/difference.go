package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lightshuttle/lightshuttle/manifest"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// shownNames is how many variables are named that changed in the same way.
const shownNames = 4

// difference says in what a container differs from its spec. No value is
// shown, but for the image's name.
func difference(spec *sdk.Spec, previous *sdk.State) string {
	before, now := previous.Labels[sdk.LabelParts], spec.Labels[sdk.LabelParts]
	if before == "" {
		return "its definition has changed"
	}
	return differenceOf(manifest.SplitParts(before), manifest.SplitParts(now), func(part string) string {
		if part == "image" && previous.Image != spec.Image {
			return fmt.Sprintf(" (%s → %s)", previous.Image, spec.Image)
		}
		return ""
	})
}

const envPrefix = "env."

func differenceOf(before, now map[string]string, detail func(part string) string) string {
	foldEnv(before, now)
	var changes []string
	variables := map[string][]string{}
	all := maps.Clone(before)
	maps.Copy(all, now)
	for _, part := range slices.Sorted(maps.Keys(all)) {
		how := changed(before[part], now[part])
		name, isVariable := strings.CutPrefix(part, envPrefix)
		switch {
		case how == "":
		case isVariable:
			variables[how] = append(variables[how], name)
		default:
			changes = append(changes, part+" "+how+detail(part))
		}
	}
	for _, how := range []string{"changed", "added", "removed"} {
		if names := variables[how]; len(names) > 0 {
			changes = append(changes, "env "+listed(names)+" "+how)
		}
	}
	if len(changes) == 0 {
		return "its definition has changed" // in what this program knows nothing of
	}
	return strings.Join(changes, ", ")
}

func changed(before, now string) string {
	switch {
	case before == now:
		return ""
	case before == "":
		return "added"
	case now == "":
		return "removed"
	}
	return "changed"
}

// foldEnv makes the variables of both one part, if those of one are: there were
// too many for the label.
func foldEnv(before, now map[string]string) {
	if (before["env"] == "") == (now["env"] == "") {
		return
	}
	for _, parts := range []map[string]string{before, now} {
		count := len(parts)
		maps.DeleteFunc(parts, func(name, _ string) bool { return strings.HasPrefix(name, envPrefix) })
		if len(parts) < count {
			parts["env"] = "several"
		}
	}
}

func listed(names []string) string {
	if len(names) <= shownNames {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:shownNames-1], ", "), len(names)-shownNames+1)
}
