//go:build unix

package process

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// killedExitCode is that of a process whose end nobody saw: it was killed.
const killedExitCode = 137

// Inspect implements sdk.Inspector.
func (r *Runtime) Inspect(ctx context.Context, id string) (sdk.State, error) {
	project := projectOf(id)
	if project == "" {
		return sdk.State{}, sdk.Errorf(sdk.CodeNotFound, "inspect", "there is no process %q", id)
	}
	if ctx.Err() != nil {
		return sdk.State{}, failed("inspect", "", context.Cause(ctx))
	}
	known, err := r.look(ctx, project, id)
	if err != nil {
		return sdk.State{}, failed("inspect", "", err)
	}
	return stateOf(id, known.Spec, known.Status), nil
}

// look asks the supervisor what is known of a process.
func (r *Runtime) look(ctx context.Context, project, id string) (record, error) {
	answer, err := r.ask(ctx, project, request{Op: opInspect, ID: id})
	if err == nil && answer.Record != nil {
		return *answer.Record, nil
	}
	if !isGone(err) {
		return record{}, err
	}
	known, err := r.lookBack(ctx, project)
	if err != nil {
		return record{}, err
	}
	if one, there := known[id]; there {
		return one, nil
	}
	return record{}, errNoProcess
}

var errNoProcess = sdk.Errorf(sdk.CodeNotFound, "", "there is no such process")

// lookAll is look for all of a project.
func (r *Runtime) lookAll(ctx context.Context, project string) (map[string]record, error) {
	answer, err := r.ask(ctx, project, request{Op: opList})
	if isGone(err) {
		return r.lookBack(ctx, project)
	}
	return answer.All, err
}

// lookBack reads what a supervisor has left that is there no more. What ran, ran
// until it was killed.
func (r *Runtime) lookBack(ctx context.Context, project string) (map[string]record, error) {
	records, _, err := readJournal(r.projectDir(project))
	if err != nil {
		return nil, err
	}
	for id, known := range records {
		if known.Status.ended() || known.Status.Leader.lives() {
			continue
		}
		// There may be a new one by now, and this be its doing.
		if answer, err := r.ask(ctx, project, request{Op: opList}); !isGone(err) {
			return answer.All, err
		}
		known.Status = lost(known.Status)
		records[id] = known
	}
	return records, nil
}

// lost is the status of a process whose supervisor was killed, which kills it
// too.
func lost(now status) status {
	code := killedExitCode
	now.State, now.ExitCode = sdk.StatusExited, &code
	now.Error = "its supervisor was killed, or the machine was restarted"
	return now
}

func stateOf(id string, spec sdk.Spec, now status) sdk.State {
	state := sdk.State{
		ID: id, Name: spec.Name, Project: spec.Project, Resource: spec.Resource, Runtime: "process", Image: filepath.Base(argumentsOf(spec)[0]),
		Status: now.State, Health: sdk.HealthNone, Healthcheck: spec.Healthcheck,
		ExitCode: now.ExitCode, Error: now.Error,
		CreatedAt: now.CreatedAt, StartedAt: now.StartedAt, FinishedAt: now.FinishedAt,
		Labels: spec.Labels, Restarts: now.Restarts, Restart: spec.Restart,
	}
	if now.State == sdk.StatusRunning {
		state.Ports = spec.Ports
		state.Addresses = addresses(spec.Ports)
	}
	return state
}

// addresses are where a process can be reached that listens as it says.
func addresses(ports []sdk.PortBinding) []string {
	var found []string
	for _, port := range ports {
		address, err := netip.ParseAddr(port.HostIP)
		if err != nil || address.IsUnspecified() || slices.Contains(found, port.HostIP) {
			continue
		}
		found = append(found, port.HostIP)
	}
	if len(found) == 0 {
		return []string{"127.0.0.1"}
	}
	return found
}

// List implements sdk.Lister.
func (r *Runtime) List(ctx context.Context, project string) ([]sdk.State, error) {
	if ctx.Err() != nil {
		return nil, failed("list", "", context.Cause(ctx))
	}
	known, err := r.lookAll(ctx, project)
	if err != nil {
		return nil, failed("list", "", err)
	}
	var states []sdk.State
	for _, id := range slices.Sorted(maps.Keys(known)) {
		states = append(states, stateOf(id, known[id].Spec, known[id].Status))
	}
	return states, nil
}

// Env implements sdk.EnvReader: what it was given on top of the environment
// that this program had.
func (r *Runtime) Env(ctx context.Context, id string) (map[string]string, error) {
	project := projectOf(id)
	if project == "" {
		return nil, sdk.Errorf(sdk.CodeNotFound, "env", "there is no process %q", id)
	}
	known, err := r.look(ctx, project, id)
	if err != nil {
		return nil, failed("env", "", err)
	}
	return maps.Clone(known.Spec.Env), nil
}

// PublishedPorts implements sdk.PortFinder, for the processes of all projects.
func (r *Runtime) PublishedPorts(ctx context.Context) ([]sdk.PublishedPort, error) {
	projects, err := os.ReadDir(r.dir)
	if err != nil {
		return nil, nil //nolint:nilerr // where there is no folder, there is no process
	}
	var ports []sdk.PublishedPort
	for _, project := range projects {
		states, err := r.List(ctx, project.Name())
		if err != nil {
			return nil, fmt.Errorf("project %s: %w", project.Name(), err)
		}
		for _, state := range states {
			for _, port := range state.Ports {
				ports = append(ports, sdk.PublishedPort{PortBinding: port, Container: state.Name, Project: state.Project})
			}
		}
	}
	return ports, nil
}
