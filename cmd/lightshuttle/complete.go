package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/lightshuttle/lightshuttle/manifest"
)

// completeResources completes the names of resources from the manifest.
func (a *app) completeResources(_ *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	path, err := a.manifestPath()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	parsed, _ := manifest.Parse(path, data)
	if parsed == nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	names := make([]string, len(parsed.Resources))
	for i, resource := range parsed.Resources {
		names[i] = resource.Name
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
