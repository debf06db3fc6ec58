package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/lightshuttle/lightshuttle/cmd/lightshuttle/exitcode"
	"github.com/lightshuttle/lightshuttle/manifest"
)

// manifestOptions are the flags of manifest.
type manifestOptions struct {
	envFile string
	raw     bool
	schema  bool
	reveal  bool
}

func newManifest(a *app) *cobra.Command {
	var options manifestOptions
	command := &cobra.Command{
		Use:   "manifest",
		Short: "Print the manifest as it is understood",
		Long: `Prints the manifest with all values and defaults put in, secrets masked; or the
file as it stands; or the JSON Schema of the language, for editors.`,
		Example: `  lightshuttle manifest
  lightshuttle manifest --raw
  lightshuttle manifest --schema > lightshuttle.schema.json`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			text, err := a.manifestText(command, options)
			if err != nil {
				return err
			}
			_, err = a.stdout.Write(text)
			return err
		},
	}
	flags := command.Flags()
	flags.StringVar(&options.envFile, "env-file", "", "a file of variables (default: .env beside the manifest)")
	flags.BoolVar(&options.raw, "raw", false, "print the file as it stands")
	flags.BoolVar(&options.schema, "schema", false, "print the JSON Schema of the language")
	flags.BoolVar(&options.reveal, "reveal", false, "show secrets")
	return command
}

func (a *app) manifestText(command *cobra.Command, options manifestOptions) ([]byte, error) {
	if options.raw && options.schema || options.reveal && (options.raw || options.schema) {
		return nil, usage("--raw, --schema and --reveal exclude each other")
	}
	if options.schema {
		return manifest.Schema(), nil
	}
	if options.raw {
		path, err := a.manifestPath()
		if err != nil {
			return nil, err
		}
		text, err := os.ReadFile(path)
		return text, exitcode.With(exitcode.Wrong, err)
	}
	p, err := a.loadProject(command, options.envFile)
	if err != nil {
		return nil, err
	}
	stack, err := a.resolve(p, a.keptInputs(p))
	if err != nil {
		return nil, err
	}
	return stack.YAML(options.reveal)
}
