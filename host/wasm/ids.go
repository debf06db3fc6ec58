package wasm

import (
	"context"
	"encoding/json"
	"maps"
	"path/filepath"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// ids notes what was started, on behalf of a plugin that can't list it.
type ids struct{ store *store }

// idBytes bounds the notes of a project; each has some hundred bytes.
const idBytes = 16 << 20

func openIDs(dir, plugin, project string) *ids {
	path := ""
	if dir != "" {
		path = filepath.Join(dir, fileName(plugin), fileName(project), "containers.json")
	}
	return &ids{store: openStore(path, idBytes)}
}

// noted is what is known of a container that nobody can look at.
type noted struct {
	ID       string            `json:"id"`
	Name     string            `json:"name"`
	Project  string            `json:"project"`
	Resource string            `json:"resource"`
	Image    string            `json:"image"`
	Labels   map[string]string `json:"labels,omitempty"`
	Ports    []sdk.PortBinding `json:"ports,omitempty"`
	Started  time.Time         `json:"started"`
}

func (i *ids) put(ctx context.Context, spec sdk.Spec, id string) error {
	note, err := json.Marshal(noted{
		ID: id, Name: spec.Name, Project: spec.Project, Resource: spec.Resource, Image: spec.Image,
		Labels: spec.Labels, Ports: spec.Ports, Started: time.Now(),
	})
	if err != nil {
		return err
	}
	return i.store.set(context.WithoutCancel(ctx), id, note)
}

func (i *ids) remove(ctx context.Context, id string) error {
	return i.store.set(context.WithoutCancel(ctx), id, nil)
}

func (i *ids) list(project string) ([]noted, error) {
	keys, err := i.store.list("")
	if err != nil {
		return nil, err
	}
	var all []noted
	for _, key := range keys {
		note, err := i.store.get(key)
		if sdk.IsCode(err, sdk.CodeNotFound) {
			continue // it was removed meanwhile
		}
		if err != nil {
			return nil, err
		}
		var n noted
		if err := json.Unmarshal(note, &n); err != nil {
			return nil, err
		}
		if n.Project == project {
			all = append(all, n)
		}
	}
	return all, nil
}

// state is what can be said of the container with that id without looking.
func (i *ids) state(id string) sdk.State {
	n := noted{ID: id}
	if note, err := i.store.get(id); err == nil {
		_ = json.Unmarshal(note, &n) // what can't be read is left out
	}
	return n.state()
}

// state is what can be said of the container without looking: it runs, as far
// as anybody knows.
func (n noted) state() sdk.State {
	return sdk.State{
		ID: n.ID, Name: n.Name, Project: n.Project, Resource: n.Resource, Image: n.Image, Status: sdk.StatusRunning, Health: sdk.HealthNone,
		CreatedAt: n.Started, StartedAt: n.Started, Ports: n.Ports, Labels: n.Labels,
	}
}

// complete adds what the plugin has left out of a state.
func (n noted) complete(seen sdk.State) sdk.State {
	state := seen
	fill(&state.Name, n.Name)
	fill(&state.Project, n.Project)
	fill(&state.Resource, n.Resource)
	fill(&state.Image, n.Image)
	labels := maps.Clone(n.Labels)
	maps.Copy(labels, seen.Labels)
	state.Labels = labels
	if state.Ports == nil {
		state.Ports = n.Ports
	}
	return state
}

func fill(field *string, value string) {
	if *field == "" {
		*field = value
	}
}
