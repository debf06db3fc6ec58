package main

import (
	"github.com/spf13/cobra"

	"github.com/lightshuttle/lightshuttle/host/plan"
	"github.com/lightshuttle/lightshuttle/manifest"
)

func newValidate(a *app) *cobra.Command {
	var envFile string
	command := &cobra.Command{
		Use:   "validate",
		Short: "Check the manifest without an engine",
		Long: `Checks everything about the manifest that can be known without an engine: what
it accepts, up doesn't refuse for a reason that was knowable. A manifest that is
all right prints nothing.`,
		Example: `  lightshuttle validate
  lightshuttle validate --strict -f deploy/lightshuttle.yml`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			p, err := a.loadProject(command, envFile)
			if err != nil {
				return err
			}
			stack, err := a.resolve(p, manifest.Inputs{})
			if err != nil {
				return err
			}
			_, err = plan.Up(stack, plan.Observed{}, plan.Options{})
			return err
		},
	}
	command.Flags().StringVar(&envFile, "env-file", "", "a file of variables (default: .env beside the manifest)")
	return command
}
