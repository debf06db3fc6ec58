//go:build unix

package process

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// mark is the variable that every process and its children have in their
// environment, with the id; it is how they are found when all else is lost.
const mark = "LIGHTSHUTTLE_PROCESS"

// Start implements sdk.Runtime.
func (r *Runtime) Start(ctx context.Context, spec sdk.Spec) (string, error) {
	if err := validate(spec); err != nil {
		return "", err
	}
	if ctx.Err() != nil {
		return "", failed("start", spec.Resource, context.Cause(ctx))
	}
	environ := environment(os.Environ(), spec.Env)
	program, err := programOf(spec, environ)
	if err == nil {
		err = portsFree(spec.Ports)
	}
	if err != nil {
		return "", failed("start", spec.Resource, err)
	}
	id := newID(spec.Project, spec.Resource)
	err, left := r.startIt(ctx, spec.Project, request{
		Op: opStart, ID: id, Spec: &spec, Program: program, Args: argumentsOf(spec),
		Environ: append(environ, mark+"="+id), Logs: r.logs,
	})
	if err == nil {
		return id, nil
	}
	if left != nil {
		err = errors.Join(err, left)
	}
	return "", failed("start", spec.Resource, err)
}

// Stop implements sdk.Runtime. When ctx ends, the supervisor goes on with what
// it was asked.
func (r *Runtime) Stop(ctx context.Context, id string, grace time.Duration) error {
	return r.unlessGone(ctx, id, request{Op: opStop, ID: id, Grace: grace})
}

// Remove implements sdk.Remover.
func (r *Runtime) Remove(ctx context.Context, id string) error {
	return r.unlessGone(ctx, id, request{Op: opRemove, ID: id})
}

// SetRestart implements sdk.Restarter: the supervisor restarts processes.
func (r *Runtime) SetRestart(ctx context.Context, id string, policy sdk.RestartPolicy) error {
	project := projectOf(id)
	if project == "" {
		return sdk.Errorf(sdk.CodeNotFound, "restart", "there is no process %q", id)
	}
	_, err := r.ask(ctx, project, request{Op: opRestart, ID: id, Restart: policy})
	if !isGone(err) {
		return failed("restart", "", err)
	}
	if _, err := r.look(ctx, project, id); err != nil {
		return failed("restart", "", err)
	}
	return failed("restart", "", r.command(ctx, project, request{Op: opRestart, ID: id, Restart: policy}))
}

// unlessGone makes a request about a process, if there is such a one.
func (r *Runtime) unlessGone(ctx context.Context, id string, request request) error {
	project := projectOf(id)
	if project == "" {
		return nil
	}
	_, err := r.ask(ctx, project, request)
	if !isGone(err) {
		return failed(request.Op, "", err)
	}
	// A supervisor is started only for what there is.
	records, _, err := readJournal(r.projectDir(project))
	if err != nil {
		return failed(request.Op, "", err)
	}
	if _, there := records[id]; !there {
		return nil
	}
	return failed(request.Op, "", r.command(ctx, project, request))
}

// environment is that of this program with the manifest's on top.
func environment(base []string, given map[string]string) []string {
	var environ []string
	for _, variable := range base {
		name, _, _ := strings.Cut(variable, "=")
		if _, ours := given[name]; !ours && name != mark {
			environ = append(environ, variable)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		environ = append(environ, name+"="+given[name])
	}
	return environ
}

// programOf finds the file to execute, as a shell in the process's folder and
// environment would.
func programOf(spec sdk.Spec, environ []string) (string, error) {
	name := argumentsOf(spec)[0]
	if info, err := os.Stat(spec.WorkingDir); spec.WorkingDir != "" && (err != nil || !info.IsDir()) {
		return "", &sdk.Error{Code: sdk.CodeNotFound, Err: fmt.Errorf("there is no folder %s to work in", spec.WorkingDir), Hint: "`working_dir` is relative to the manifest"}
	}
	if !strings.Contains(name, "/") {
		return inPath(name, environ)
	}
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(spec.WorkingDir, name)
	}
	found, err := exec.LookPath(path)
	if errors.Is(err, fs.ErrPermission) {
		return "", &sdk.Error{Code: sdk.CodeDenied, Err: fmt.Errorf("%s can't be executed", path), Hint: "make it executable: chmod +x " + path}
	}
	if err != nil {
		return "", &sdk.Error{Code: sdk.CodeNotFound, Err: fmt.Errorf("there is no program %s", path), Hint: "a path is relative to `working_dir`, which is the manifest's folder if it isn't given"}
	}
	return found, nil
}

// inPath looks the program up in the PATH that the process will have.
func inPath(name string, environ []string) (string, error) {
	path := ""
	for _, variable := range environ {
		if value, ok := strings.CutPrefix(variable, "PATH="); ok {
			path = value
		}
	}
	for _, dir := range filepath.SplitList(path) {
		if !filepath.IsAbs(dir) {
			continue // a folder relative to whom?
		}
		if found, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return found, nil
		}
	}
	return "", &sdk.Error{Code: sdk.CodeNotFound, Err: fmt.Errorf("there is no program %s in PATH", name), Hint: "install it, or give its path; a string is run by the shell: command: \"" + name + " …\""}
}

// failed puts operation and resource into an error.
func failed(op, resource string, err error) error {
	if err == nil {
		return nil
	}
	e, ok := errors.AsType[*sdk.Error](err)
	if !ok {
		return &sdk.Error{Code: sdk.CodeOf(err), Op: op, Resource: resource, Err: err}
	}
	with := *e
	with.Op, with.Resource = op, resource
	return &with
}
