package nerdctl

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/directory"
)

// On a machine that is very busy containerd doesn't hear of a container's shim in
// time. It then tells the state "unknown" and the exit code 0, or nerdctl warns
// and leaves the state out. That is no state: it is asked for again.
const (
	unsureTries = 6
	// unsurePause comes on top of the two seconds that containerd waits itself.
	unsurePause = 200 * time.Millisecond
	unsureText  = "the engine can't tell its state: what watches over the container doesn't answer"
)

// unsureLine is nerdctl's warning that a container's state is missing.
var unsureLine = matching(`msg="failed to inspect (?:Spec|Task|Status)".*\bid=([0-9a-f]{64})`)

// Inspect implements sdk.Inspector.
func (r *Runtime) Inspect(ctx context.Context, id string) (sdk.State, error) {
	for try := 1; ; try++ {
		seen, err := r.inspectOne(ctx, id)
		if err != nil {
			return sdk.State{}, err
		}
		if !seen.unsure {
			return r.stateOf(seen), nil
		}
		if try == unsureTries {
			e := r.error(sdk.CodeUnavailable, "inspect", seen.Config.Labels[sdk.LabelResource], errors.New(unsureText))
			e.Hint = "see whether the machine is overloaded; if the container never answers again, remove it: " + r.dialect.name + " rm -f " + short(seen.ID)
			return sdk.State{}, e
		}
		if r.host.Sleep(ctx, unsurePause) != nil {
			return sdk.State{}, contextEnded(ctx, "inspect", "")
		}
	}
}

// inspectAlone is inspectOne in a process of its own.
func (r *Runtime) inspectAlone(ctx context.Context, id string) (inspected, error) {
	result, err := r.attempt(ctx, call{op: "inspect", args: []string{"inspect", "--type", "container", id}, waits: true})
	if err != nil {
		return inspected{}, err
	}
	if result.ExitCode != 0 {
		return inspected{}, r.refused("inspect", "", result)
	}
	all, err := r.decode(result)
	if err != nil {
		return inspected{}, err
	}
	if len(all) != 1 {
		return inspected{}, r.rubbish("inspect", result.Stdout, errors.New("it isn't about one container"))
	}
	return all[0], nil
}

// decode reads the answer of an inspect command.
func (r *Runtime) decode(result sdk.Result) ([]inspected, error) {
	if result.Truncated {
		return nil, r.tooLong("inspect", "")
	}
	var all []inspected
	if err := json.Unmarshal(result.Stdout, &all); err != nil {
		return nil, r.rubbish("inspect", result.Stdout, err)
	}
	var unsure []string
	for _, match := range unsureLine().FindAllSubmatch(result.Stderr, -1) {
		unsure = append(unsure, string(match[1]))
	}
	for i := range all {
		one := &all[i]
		one.unsure = one.State.Status == "unknown" || slices.Contains(unsure, one.ID)
		r.names.Put(one.ID, directory.Labelled(one.Name, one.Config.Labels))
	}
	return all, nil
}

// List implements sdk.Lister: one process finds the containers, another looks at
// all of them.
func (r *Runtime) List(ctx context.Context, project string) ([]sdk.State, error) {
	ids, err := r.ids(ctx, "--all", "--filter", "label="+sdk.LabelProject+"="+project)
	if err != nil {
		return nil, err
	}
	seen, err := r.inspectAll(ctx, ids)
	if err != nil {
		return nil, err
	}
	states := make([]sdk.State, 0, len(seen))
	for _, one := range seen {
		if one.Config.Labels[sdk.LabelProject] == project {
			states = append(states, r.stateOf(one))
		}
	}
	return states, nil
}

// listTries is how often a list is asked for: it fails for all when one of the
// containers is removed meanwhile.
const listTries = 5

func (r *Runtime) ids(ctx context.Context, filters ...string) ([]string, error) {
	list := call{op: "list", args: append([]string{"ps", "--quiet", "--no-trunc"}, filters...)}
	output, err := r.run(ctx, list)
	for try := 1; try < listTries && gone(err); try++ {
		output, err = r.run(ctx, list)
	}
	if err != nil {
		return nil, err
	}
	ids := strings.Fields(string(output))
	for _, id := range ids {
		if !isID(id) {
			return nil, r.rubbish("list", output, errors.New("it isn't a list of ids"))
		}
	}
	return ids, nil
}

// inspectAll looks at containers, and once more at those whose state is unsure.
// One whose state stays so is still told of: it has to be found to be removed.
func (r *Runtime) inspectAll(ctx context.Context, ids []string) ([]inspected, error) {
	var all []inspected
	for try := 1; len(ids) > 0; try++ {
		seen, err := r.inspectThose(ctx, ids)
		if err != nil {
			return nil, err
		}
		ids = nil
		for _, one := range seen {
			if one.unsure && try < unsureTries {
				ids = append(ids, one.ID)
				continue
			}
			all = append(all, one)
		}
		if len(ids) > 0 && r.host.Sleep(ctx, unsurePause) != nil {
			return nil, contextEnded(ctx, "list", "")
		}
	}
	return all, nil
}

// missing finds the ids that an inspect command could not find, in its reason:
// its warnings are about containers that are there.
var missing = matching(`[0-9a-f]{64}`)

// inspectThose looks at containers that may be removed meanwhile: the programs
// then fail for all of them, and name the one.
func (r *Runtime) inspectThose(ctx context.Context, ids []string) ([]inspected, error) {
	for len(ids) > 0 {
		result, err := r.attempt(ctx, call{op: "list", args: append([]string{"inspect", "--type", "container"}, ids...)})
		if err != nil {
			return nil, err
		}
		if result.ExitCode == 0 {
			return r.decode(result)
		}
		refusal := r.refused("list", "", result)
		absent := missing().FindAllString(refusal.Error(), -1)
		left := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return slices.Contains(absent, id) })
		if !gone(refusal) || len(left) == len(ids) {
			return nil, refusal
		}
		ids = left
	}
	return nil, nil
}
