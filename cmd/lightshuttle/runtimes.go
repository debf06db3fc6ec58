package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/lightshuttle/lightshuttle/cmd/lightshuttle/plaintext"
	"github.com/lightshuttle/lightshuttle/host"
	"github.com/lightshuttle/lightshuttle/sdk"
)

func newRuntimes(a *app) *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:   "runtimes",
		Short: "List the runtimes: whether each is there, and what it can do",
		Long: `Asks every runtime whether it is there, and lists its version, its address and
what it can do, or what to do where it isn't. The one in use is marked with a *;
--runtime auto takes the first one of containers that answers.`,
		Example: `  lightshuttle runtimes
  lightshuttle runtimes --json`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			if err := a.loadSettings(command, ""); err != nil {
				return err
			}
			return a.writeRuntimes(host.Look(command.Context(), a.settings, a.logger), asJSON)
		},
	}
	command.Flags().BoolVar(&asJSON, "json", false, "print an array of JSON objects")
	return command
}

// runtimeRow is a runtime as it is shown.
type runtimeRow struct {
	Name      string   `json:"name"`
	InUse     bool     `json:"in_use"`
	Reachable bool     `json:"reachable"`
	Version   string   `json:"version,omitempty"`
	Address   string   `json:"address,omitempty"`
	Abilities []string `json:"abilities"`
	Error     string   `json:"error,omitempty"`
	Hint      string   `json:"hint,omitempty"`
}

func (a *app) writeRuntimes(found []host.Found, asJSON bool) error {
	rows := make([]runtimeRow, len(found))
	for i, f := range found {
		rows[i] = runtimeRow{
			Name: f.Name, InUse: f.Name == a.settings.Runtime, Reachable: f.Err == nil,
			Version: f.Info.Version, Address: f.Info.Address, Abilities: f.Abilities,
		}
		if f.Abilities == nil {
			rows[i].Abilities = []string{}
		}
		if f.Err != nil {
			rows[i].Error, rows[i].Hint = reasonOf(f.Err), f.Advice
		}
	}
	if asJSON {
		encoder := json.NewEncoder(a.stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(rows)
	}
	table := tabwriter.NewWriter(a.stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "RUNTIME\tSTATE\tVERSION\tADDRESS\tABILITIES")
	for _, r := range rows {
		name, state := r.Name, "there"
		if r.InUse {
			name += " *"
		}
		if !r.Reachable {
			state = "not there"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", name, state, cmp.Or(r.Version, "-"), cmp.Or(r.Address, "-"), strings.Join(r.Abilities, " "))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, r := range rows {
		if !r.Reachable {
			fmt.Fprintf(a.stderr, "%s: %s\n    %s\n", r.Name, plaintext.Line(r.Error), r.Hint)
		}
	}
	return nil
}

// reasonOf is what is wrong, without what was being done.
func reasonOf(err error) string {
	if e, ok := err.(*sdk.Error); ok { //nolint:errorlint // only the outermost is shortened
		return e.Reason()
	}
	return err.Error()
}
