package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lightshuttle/lightshuttle/cmd/lightshuttle/exitcode"
	"github.com/lightshuttle/lightshuttle/manifest"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// project is a manifest with the environment for it.
type project struct {
	manifest *manifest.Manifest
	dir      string
	env      environment
}

// environment answers references to variables: what an env file says wins over
// the environment of the process.
type environment struct {
	file map[string]string
	// name is that of the env file, for people.
	name string
}

// Lookup returns the value of a variable, and where it comes from.
func (e environment) Lookup(name string) (value, source string, ok bool) {
	if value := e.file[name]; value != "" {
		return value, e.name, true
	}
	value, ok = os.LookupEnv(name)
	return value, "environment", ok
}

func (e environment) value(name string) (string, bool) {
	value, _, ok := e.Lookup(name)
	return value, ok
}

const defaultEnvFile = ".env"

// manifestPath is the manifest that is meant.
func (a *app) manifestPath() (string, error) {
	if a.file != "" {
		path, err := filepath.Abs(a.file)
		if err != nil {
			return "", err
		}
		if _, err := os.Stat(path); err != nil {
			return "", exitcode.With(exitcode.Usage, fmt.Errorf("there is no manifest %s", a.file))
		}
		return path, nil
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	path, err := manifest.Find(dir)
	if errors.Is(err, manifest.ErrNotFound) {
		return "", exitcode.With(exitcode.Wrong, fmt.Errorf("%w; say where it is with -f", err))
	}
	return path, err
}

// loadProject reads the manifest, the settings beside it, and the env file.
func (a *app) loadProject(command *cobra.Command, envFile string) (*project, error) {
	path, err := a.manifestPath()
	if err != nil {
		return nil, err
	}
	p := &project{dir: filepath.Dir(path)}
	if err := a.loadSettings(command, p.dir); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, exitcode.With(exitcode.Wrong, err)
	}
	parsed, found := manifest.Parse(path, data)
	if err := a.diagnose(shown(found, path)); err != nil {
		return nil, err
	}
	p.manifest = parsed
	p.env, err = a.loadEnvFile(p.dir, envFile)
	return p, err
}

// knows fails for a name that is none of a resource.
func (p *project) knows(names ...string) error {
	for _, name := range names {
		if !slices.ContainsFunc(p.manifest.Resources, func(r *manifest.Resource) bool { return r.Name == name }) {
			return p.unknown(name)
		}
	}
	return nil
}

func (p *project) unknown(name string) error {
	there := make([]string, len(p.manifest.Resources))
	for i, r := range p.manifest.Resources {
		there[i] = r.Name
	}
	return exitcode.With(exitcode.Usage, &sdk.Error{
		Code: sdk.CodeNotFound, Err: fmt.Errorf("there is no resource %s in project %s", name, p.manifest.Project.Name.Value),
		Hint: "there is: " + strings.Join(there, ", "),
	})
}

// shown names the file as the user would.
func shown(found manifest.Diagnostics, path string) manifest.Diagnostics {
	dir, err := os.Getwd()
	if err != nil {
		return found
	}
	relative, err := filepath.Rel(dir, path)
	if err != nil || len(relative) > len(path) {
		return found
	}
	for i := range found {
		if found[i].File == path {
			found[i].File = relative
		}
	}
	return found
}

// diagnose shows warnings; errors it returns, with the warnings among them.
func (a *app) diagnose(found manifest.Diagnostics) error {
	if a.strict {
		found = found.Strict()
	}
	if found.HasErrors() {
		return found
	}
	a.diagnostics(found)
	return nil
}

// loadEnvFile reads the env file that was asked for, or the one beside the
// manifest if there is one.
func (a *app) loadEnvFile(dir, asked string) (environment, error) {
	path := asked
	if path == "" {
		path = filepath.Join(dir, defaultEnvFile)
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) && asked == "" {
		return environment{}, nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		return environment{}, usage("there is no env file %s", asked)
	}
	if err != nil {
		return environment{}, exitcode.With(exitcode.Wrong, fmt.Errorf("env file: %w", err))
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return environment{}, exitcode.With(exitcode.Wrong, fmt.Errorf("env file: %w", err))
	}
	vars, found := manifest.ParseEnvFile(path, data)
	found = append(found, manifest.CheckEnvFileMode(path, info.Mode())...)
	if err := a.diagnose(shown(found, path)); err != nil {
		return environment{}, err
	}
	env := environment{file: map[string]string{}, name: filepath.Base(path)}
	for _, v := range vars {
		env.file[v.Name] = v.Value
	}
	return env, nil
}

// resolve puts the values in. What inputs leave open has placeholders.
func (a *app) resolve(p *project, inputs manifest.Inputs) (*manifest.Stack, error) {
	inputs.Env = p.env.value
	inputs.ReadFile = os.ReadFile
	stack, found := p.manifest.Resolve(inputs)
	return stack, a.diagnose(shown(found, p.manifest.File))
}
