package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/lightshuttle/lightshuttle/host/state"
	"github.com/lightshuttle/lightshuttle/manifest"
)

func newEnv(a *app) *cobra.Command {
	var envFile string
	var reveal, asJSON bool
	command := &cobra.Command{
		Use:   "env RESOURCE",
		Short: "Show the environment that a resource gets",
		Example: `  lightshuttle env app
  lightshuttle env app --reveal`,
		Args:              oneResource,
		ValidArgsFunction: a.completeResources,
		RunE: func(command *cobra.Command, args []string) error {
			env, err := a.environmentOf(command, args[0], envFile, reveal)
			if err != nil {
				return err
			}
			if asJSON {
				encoder := json.NewEncoder(a.stdout)
				encoder.SetIndent("", "  ")
				return encoder.Encode(env)
			}
			for _, name := range slices.Sorted(maps.Keys(env)) {
				fmt.Fprintf(a.stdout, "%s=%s\n", name, env[name])
			}
			return nil
		},
	}
	flags := command.Flags()
	flags.StringVar(&envFile, "env-file", "", "a file of variables (default: .env beside the manifest)")
	flags.BoolVar(&reveal, "reveal", false, "show secrets")
	flags.BoolVar(&asJSON, "json", false, "print a JSON object")
	return command
}

func oneResource(command *cobra.Command, args []string) error {
	if len(args) == 1 {
		return nil
	}
	return fmt.Errorf("%s needs the name of one resource", command.CommandPath())
}

func (a *app) environmentOf(command *cobra.Command, name, envFile string, reveal bool) (map[string]string, error) {
	p, err := a.loadProject(command, envFile)
	if err != nil {
		return nil, err
	}
	if err := p.knows(name); err != nil {
		return nil, err
	}
	stack, err := a.resolve(p, a.keptInputs(p))
	if err != nil {
		return nil, err
	}
	for _, resource := range stack.Resources {
		if resource.Name != name {
			continue
		}
		if reveal {
			return resource.Spec.Env, nil
		}
		return maskedValues(resource.Spec.Env, resource.Spec.SecretEnv), nil
	}
	return nil, p.unknown(name)
}

// keptInputs are the choices of earlier runs, with placeholders for those that
// were not made yet.
func (a *app) keptInputs(p *project) manifest.Inputs {
	store, err := state.Open(p.dir)
	if err != nil {
		a.logger.Warn("the state of earlier runs can't be read", "error", err)
		return manifest.Inputs{}
	}
	name := p.manifest.Project.Name.Value
	return manifest.Inputs{
		Password: func(resource string) string {
			if kept := store.Password(name, resource); kept != "" {
				return kept
			}
			return "generated-by-up"
		},
		HostPort: func(resource string, wished uint16) uint16 {
			if wished != 0 {
				return wished
			}
			return store.Port(name, resource)
		},
	}
}
