package nerdctl

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// EnsureNetwork implements sdk.Networker.
func (r *Runtime) EnsureNetwork(ctx context.Context, wanted sdk.Network) (bool, error) {
	return r.ensure(ctx, "network", wanted.Name, wanted.Project, wanted.Labels)
}

// RemoveNetwork implements sdk.Networker.
func (r *Runtime) RemoveNetwork(ctx context.Context, wanted sdk.Network) error {
	return r.removeOwn(ctx, "network", wanted.Name, wanted.Project)
}

// EnsureVolume implements sdk.Volumer.
func (r *Runtime) EnsureVolume(ctx context.Context, wanted sdk.Volume) (bool, error) {
	return r.ensure(ctx, "volume", wanted.Name, wanted.Project, wanted.Labels)
}

// RemoveVolume implements sdk.Volumer.
func (r *Runtime) RemoveVolume(ctx context.Context, wanted sdk.Volume) error {
	return r.removeOwn(ctx, "volume", wanted.Name, wanted.Project)
}

// ListVolumes implements sdk.Volumer.
func (r *Runtime) ListVolumes(ctx context.Context, project string) ([]sdk.Volume, error) {
	output, err := r.run(ctx, call{op: "volume", args: []string{"volume", "ls", "--quiet", "--filter", "label=" + sdk.LabelProject + "=" + project}})
	if err != nil {
		return nil, err
	}
	names := strings.Fields(string(output))
	if len(names) == 0 {
		return nil, nil
	}
	found, err := r.lookAt(ctx, "volume", names...)
	if err != nil {
		return nil, err
	}
	var volumes []sdk.Volume
	for _, seen := range found {
		if seen.labels()[sdk.LabelProject] == project {
			volumes = append(volumes, sdk.Volume{Name: seen.name(), Project: project, Labels: seen.labels()})
		}
	}
	return volumes, nil
}

// thing is a network or a volume. podman writes a network's fields in small
// letters, which decoding doesn't mind.
type thing struct {
	Name   string
	Labels any
}

func (t thing) name() string { return t.Name }

// labels reads an object; nerdctl writes a volume's as a JSON object, and
// leaves it out when there are none.
func (t thing) labels() map[string]string {
	object, _ := t.Labels.(map[string]any)
	labels := make(map[string]string, len(object))
	for name, value := range object {
		if text, ok := value.(string); ok {
			labels[name] = text
		}
	}
	return labels
}

func (r *Runtime) lookAt(ctx context.Context, kind string, names ...string) ([]thing, error) {
	output, err := r.run(ctx, call{op: kind, args: append([]string{kind, "inspect"}, names...)})
	if err != nil {
		return nil, err
	}
	var found []thing
	if err := json.Unmarshal(output, &found); err != nil {
		return nil, r.rubbish(kind, output, err)
	}
	return found, nil
}

// own says whether the project's network or volume is there. One of somebody
// else is a conflict.
func (r *Runtime) own(ctx context.Context, kind, name, project string) (bool, error) {
	found, err := r.lookAt(ctx, kind, name)
	if gone(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	for _, seen := range found {
		if seen.name() != name {
			continue // a name is also looked for among ids
		}
		if seen.labels()[sdk.LabelProject] != project {
			return false, &sdk.Error{
				Code: sdk.CodeConflict, Op: kind,
				Err:  fmt.Errorf("there is a %s %s that doesn't belong to project %s", kind, name, project),
				Hint: fmt.Sprintf("it is left alone; rename the project, or remove it yourself if nobody needs it: %s %s rm %s", r.dialect.name, kind, name),
			}
		}
		return true, nil
	}
	return false, nil
}

// ensure creates first and looks only when that name is taken. What was asked
// for is waited for: else it would be left without anybody knowing.
func (r *Runtime) ensure(ctx context.Context, kind, name, project string, labels map[string]string) (bool, error) {
	r.ground.Lock()
	defer r.ground.Unlock()
	there, err := r.own(ctx, kind, name, project)
	if err != nil || there {
		return false, err
	}
	longer, cancel := outlive(ctx, startTimeout)
	defer cancel()
	args := append([]string{kind, "create"}, sortedLabels(project, labels)...)
	_, err = r.run(longer, call{op: kind, args: append(args, name)})
	if sdk.IsCode(err, sdk.CodeConflict) {
		there, err = r.own(ctx, kind, name, project)
		if err == nil && !there {
			err = sdk.Errorf(sdk.CodeConflict, kind, "others make and remove the %s %s at the same time", kind, name)
		}
		return false, err
	}
	if err != nil && ctx.Err() != nil {
		err = contextEnded(ctx, kind, "")
	}
	return err == nil, err
}

func (r *Runtime) removeOwn(ctx context.Context, kind, name, project string) error {
	there, err := r.own(ctx, kind, name, project)
	if err != nil || !there {
		return err
	}
	_, err = r.run(ctx, call{op: kind, args: []string{kind, "rm", name}})
	if gone(err) {
		return nil
	}
	return err
}
