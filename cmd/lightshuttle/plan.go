package main

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lightshuttle/lightshuttle/host/plan"
)

func newPlan(a *app) *cobra.Command {
	var options upOptions
	command := &cobra.Command{
		Use:   "plan [RESOURCE...]",
		Short: "Show what up would do, and why",
		Long:  `Shows the very plan that up executes. Nothing is changed.`,
		Example: `  lightshuttle plan
  lightshuttle plan --json
  lightshuttle plan --graph mermaid`,
		ValidArgsFunction: a.completeResources,
		RunE: func(command *cobra.Command, args []string) error {
			options.resources = args
			return a.plan(command, options)
		},
	}
	flags := command.Flags()
	flags.StringSliceVar(&options.profiles, "profile", nil, "also the resources of this profile")
	flags.StringVar(&options.envFile, "env-file", "", "a file of variables (default: .env beside the manifest)")
	flags.BoolVar(&options.build, "build", false, "build the images of containers that already run, too")
	flags.StringVar(&options.pull, "pull", "", "pull policy of all images: missing, always, never")
	flags.BoolVar(&options.forceRecreate, "force-recreate", false, "replace containers that are as they should be, too")
	flags.BoolVar(&options.json, "json", false, "print the plan as JSON, with secrets masked")
	flags.StringVar(&options.graph, "graph", "", "draw what waits for what, as "+strings.Join(plan.GraphFormats, ", "))
	must(command.RegisterFlagCompletionFunc("pull", completePull))
	must(command.RegisterFlagCompletionFunc("graph", cobra.FixedCompletions(plan.GraphFormats, cobra.ShellCompDirectiveNoFileComp)))
	return command
}

func (a *app) plan(command *cobra.Command, options upOptions) error {
	if options.graph != "" && !slices.Contains(plan.GraphFormats, options.graph) {
		return usage("--graph must be one of %s, not %q", strings.Join(plan.GraphFormats, ", "), options.graph)
	}
	if err := checkPull(options.pull); err != nil {
		return err
	}
	p, err := a.loadProject(command, options.envFile)
	if err != nil {
		return err
	}
	if err := p.knows(options.resources...); err != nil {
		return err
	}
	s, err := a.sessionFor(command.Context(), p)
	if err != nil {
		return err
	}
	defer s.close()
	up, err := a.planUp(context.WithoutCancel(command.Context()), p, s, options)
	if err != nil {
		return err
	}
	if options.graph != "" {
		return up.plan.WriteGraph(a.stdout, options.graph)
	}
	if !options.json {
		return up.plan.WriteText(a.stdout)
	}
	encoder := json.NewEncoder(a.stdout)
	encoder.SetIndent("", "  ")
	return encoder.Encode(masked(up.plan))
}

const mask = "***"

// masked is the plan without any secret's value.
func masked(p *plan.Plan) *plan.Plan {
	shown := *p
	shown.Steps = make([]plan.Step, len(p.Steps))
	for i, step := range p.Steps {
		if step.Spec != nil {
			spec := *step.Spec
			spec.Env = maskedValues(spec.Env, spec.SecretEnv)
			if spec.Build != nil {
				build := *spec.Build
				build.Args = maskedValues(build.Args, build.SecretArgs)
				spec.Build = &build
			}
			step.Spec = &spec
		}
		shown.Steps[i] = step
	}
	return &shown
}

func maskedValues(values map[string]string, secret []string) map[string]string {
	shown := make(map[string]string, len(values))
	for name, value := range values {
		shown[name] = value
	}
	for _, name := range secret {
		if _, there := shown[name]; there {
			shown[name] = mask
		}
	}
	return shown
}
