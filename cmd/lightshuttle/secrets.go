package main

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/lightshuttle/lightshuttle/cmd/lightshuttle/exitcode"
	"github.com/lightshuttle/lightshuttle/manifest"
)

func newSecrets(a *app) *cobra.Command {
	command := &cobra.Command{Use: "secrets", Short: "See where secrets come from"}
	command.AddCommand(newSecretsCheck(a))
	return command
}

func newSecretsCheck(a *app) *cobra.Command {
	var envFile string
	var asJSON bool
	command := &cobra.Command{
		Use:   "check",
		Short: "List the variables that the manifest needs, and where each comes from",
		Long: `Lists every ${env.NAME} of the manifest with the source of its value, which is
never shown. Fails when one is missing.`,
		Example: `  lightshuttle secrets check
  lightshuttle secrets check --env-file staging.env --json`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			p, err := a.loadProject(command, envFile)
			if err != nil {
				return err
			}
			refs := p.manifest.EnvReport(p.env.Lookup)
			if err := a.writeRefs(refs, asJSON); err != nil {
				return err
			}
			return missing(refs)
		},
	}
	flags := command.Flags()
	flags.StringVar(&envFile, "env-file", "", "a file of variables (default: .env beside the manifest)")
	flags.BoolVar(&asJSON, "json", false, "print an array of JSON objects")
	return command
}

func (a *app) writeRefs(refs []manifest.EnvRef, asJSON bool) error {
	if asJSON {
		if refs == nil {
			refs = []manifest.EnvRef{}
		}
		encoder := json.NewEncoder(a.stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(refs)
	}
	if len(refs) == 0 {
		fmt.Fprintln(a.stderr, "the manifest refers to no variable")
		return nil
	}
	table := tabwriter.NewWriter(a.stdout, 0, 8, 2, ' ', 0)
	for _, ref := range refs {
		fmt.Fprintf(table, "%s\t%s\tline %d\n", ref.Name, sourceText(ref), ref.Line)
	}
	return table.Flush()
}

func sourceText(ref manifest.EnvRef) string {
	switch {
	case ref.Missing:
		return "missing"
	case ref.Source != "":
		return ref.Source
	case ref.Default:
		return "default"
	}
	return "not needed"
}

// missing fails when a variable is.
func missing(refs []manifest.EnvRef) error {
	count := 0
	for _, ref := range refs {
		if ref.Missing {
			count++
		}
	}
	if count == 0 {
		return nil
	}
	return exitcode.With(exitcode.Wrong, fmt.Errorf("%d of %d variables are missing: set them in the environment or in an env file", count, len(refs)))
}
