package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/lightshuttle/lightshuttle/cmd/lightshuttle/exitcode"
	"github.com/lightshuttle/lightshuttle/cmd/lightshuttle/plaintext"
	"github.com/lightshuttle/lightshuttle/host"
	"github.com/lightshuttle/lightshuttle/host/trust"
	"github.com/lightshuttle/lightshuttle/host/wasm"
	"github.com/lightshuttle/lightshuttle/host/wasm/module"
	"github.com/lightshuttle/lightshuttle/sdk"
)

func newPlugin(a *app) *cobra.Command {
	command := &cobra.Command{Use: "plugin", Short: "Inspect, trust, test and write runtimes that are WASM modules"}
	command.AddCommand(newPluginList(a), newPluginInspect(a), newPluginTrust(a), newPluginNew(a), newPluginTest(a), newPluginTestImage(a))
	return command
}

func newPluginList(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the plugins that you trust",
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			list, err := host.Trusted()
			if err != nil {
				return err
			}
			table := tabwriter.NewWriter(a.stdout, 0, 8, 2, ' ', 0)
			fmt.Fprintln(table, "NAME\tSHA256\tMAY USE\tFILE")
			for _, plugin := range list.Plugins {
				fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", plugin.Name, module.Short(plugin.SHA256), cmp.Or(strings.Join(mayUse(plugin.Grants), ", "), "nothing"), plugin.WASM)
			}
			return table.Flush()
		},
	}
}

func mayUse(grants wasm.Grants) []string {
	var list []string
	for _, grant := range grants.HTTP {
		list = append(list, grant.Endpoint+"="+grant.Address)
	}
	for _, grant := range grants.Exec {
		list = append(list, grant.Program+"="+grant.Path)
	}
	if grants.KV > 0 {
		list = append(list, "a store")
	}
	return list
}

func newPluginInspect(a *app) *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:     "inspect FILE",
		Short:   "Show what a plugin can do and what it asks for, without running it",
		Example: `  lightshuttle plugin inspect ./podman.wasm`,
		Args:    one("the file of a plugin"),
		RunE: func(_ *cobra.Command, args []string) error {
			report, err := trust.Inspect(args[0])
			if err != nil {
				return err
			}
			if asJSON {
				encoder := json.NewEncoder(a.stdout)
				encoder.SetIndent("", "  ")
				return encoder.Encode(report)
			}
			return a.writeReport(report)
		},
	}
	command.Flags().BoolVar(&asJSON, "json", false, "print a JSON object")
	return command
}

func (a *app) writeReport(report *module.Report) error {
	table := tabwriter.NewWriter(a.stdout, 0, 8, 2, ' ', 0)
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(table, "%s\t%s\n", name, wasm.OneLine(value))
		}
	}
	m := report.Manifest
	row("name", m.Name)
	row("version", m.Version)
	row("description", m.Description)
	row("license", m.License)
	row("source", m.Source)
	row("abi", fmt.Sprintf("%d.%d", m.ABI, m.ABIMinor))
	level := string(report.Level)
	if missing := report.Missing(); len(missing) > 0 {
		level += fmt.Sprintf(" (the next level also needs %s)", join(missing))
	}
	row("level", level)
	row("abilities", strings.Join(report.Abilities, ", "))
	row("needs", strings.Join(needs(report), ", "))
	row("size", fmt.Sprintf("%d bytes, %d functions, memory of %d KiB to begin with", report.Size, report.Sizes.Functions, report.Sizes.MemoryPages*64))
	row("sha256", report.SHA256)
	for _, request := range trust.Requests(report) {
		row("asks for", request)
	}
	return table.Flush()
}

func join[T ~string](list []T) string {
	texts := make([]string, len(list))
	for i, item := range list {
		texts[i] = string(item)
	}
	return strings.Join(texts, ", ")
}

// needs are the modules that it imports from.
func needs(report *module.Report) []string {
	var list []string
	for _, i := range report.Imports {
		if !slices.Contains(list, i.Module) {
			list = append(list, i.Module)
		}
	}
	return list
}

func newPluginTrust(a *app) *cobra.Command {
	var choices trust.Choices
	command := &cobra.Command{
		Use:   "trust FILE",
		Short: "Trust a plugin, and grant what it asks for",
		Long: `Shows what the plugin asks for and why, and writes down that this very file is
trusted with it. When the file changes, it is refused until it is trusted again.

Access to a container engine is equivalent to root on this machine. A plugin also
sees the secrets of the stacks that it runs.`,
		Example: `  lightshuttle plugin trust ./podman.wasm
  lightshuttle plugin trust ./podman.wasm --endpoint engine=unix:///run/podman/podman.sock`,
		Args: one("the file of a plugin"),
		RunE: func(_ *cobra.Command, args []string) error { return a.trust(args[0], choices) },
	}
	command.Flags().StringVar(&choices.Name, "name", "", "what to call it (default: what it calls itself)")
	command.Flags().StringToStringVar(&choices.Endpoints, "endpoint", nil, "the address for an endpoint that it asks for")
	command.Flags().StringToStringVar(&choices.Programs, "program", nil, "the program for one that it asks for")
	return command
}

func (a *app) trust(file string, choices trust.Choices) error {
	list, err := host.Trusted()
	if err != nil {
		return err
	}
	plugin, report, err := trust.Ask(file, choices)
	if err != nil {
		return err
	}
	if slices.Contains(host.Names(), plugin.Name) {
		return exitcode.With(exitcode.Wrong, &sdk.Error{
			Code: sdk.CodeConflict, Err: fmt.Errorf("there is a built-in runtime %s", plugin.Name),
			Hint: fmt.Sprintf("give the plugin another name: --name %s-plugin", plugin.Name),
		})
	}
	kept(list, &plugin)
	fmt.Fprintf(a.stderr, "%s %s (sha256 %s) asks for:\n", plugin.Name, wasm.OneLine(report.Manifest.Version), module.Short(plugin.SHA256))
	for _, request := range trust.Requests(report) {
		fmt.Fprintf(a.stderr, "  %s\n", request)
	}
	if len(plugin.Grants.HTTP)+len(plugin.Grants.Exec) > 0 {
		fmt.Fprintln(a.stderr, "It is granted:")
		for _, grant := range mayUse(plugin.Grants) {
			fmt.Fprintf(a.stderr, "  %s\n", grant)
		}
		fmt.Fprintln(a.stderr, "Access to a container engine is equivalent to root on this machine.")
	}
	if err := list.Put(plugin); err != nil {
		return exitcode.With(exitcode.Wrong, err)
	}
	fmt.Fprintf(a.stderr, "wrote %s; use it with --runtime %s\n", plaintext.Line(list.Path()), plugin.Name)
	return nil
}

// kept leaves limits and config as the user has written them for the file.
func kept(list *trust.List, plugin *trust.Plugin) {
	if old, known := list.ByPath(plugin.WASM); known {
		plugin.Limits, plugin.Config = old.Limits, old.Config
	}
}
