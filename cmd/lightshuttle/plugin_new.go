package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lightshuttle/lightshuttle/cmd/lightshuttle/exitcode"
	"github.com/lightshuttle/lightshuttle/sdk/guest/scaffold"
)

func newPluginNew(a *app) *cobra.Command {
	options := scaffold.Options{}
	command := &cobra.Command{
		Use:     "new NAME",
		Short:   "Write the project of a new plugin",
		Long:    "Writes a folder with a plugin of three functions, which builds with `make`. It runs nothing yet: put your engine in its place.",
		Example: `  lightshuttle plugin new --lang c mine`,
		Args:    one("the name of the new plugin"),
		RunE: func(_ *cobra.Command, args []string) error {
			options.Folder, options.Name = args[0], args[0]
			files, err := scaffold.Write(options)
			if err != nil {
				return exitcode.With(exitcode.Wrong, err)
			}
			slices.Sort(files)
			fmt.Fprintf(a.stdout, "wrote %s/: %s\n", options.Folder, strings.Join(files, ", "))
			fmt.Fprintf(a.stdout, "build it: make -C %s\n", options.Folder)
			return nil
		},
	}
	command.Flags().StringVar(&options.Language, "lang", "go", "language: "+strings.Join(scaffold.Languages, " or "))
	command.Flags().StringVar(&options.Replace, "replace", "", "a checkout of LightShuttle to build with (Go)")
	return command
}
