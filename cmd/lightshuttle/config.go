package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/lightshuttle/lightshuttle/cmd/lightshuttle/exitcode"
	"github.com/lightshuttle/lightshuttle/config"
)

func newConfig(a *app) *cobra.Command {
	command := &cobra.Command{Use: "config", Short: "Show or begin the settings"}
	command.AddCommand(newConfigShow(a), newConfigInit(a))
	return command
}

// settingsDir is the folder whose settings count: that of the manifest if there
// is one.
func (a *app) settingsDir() (string, error) {
	path, err := a.manifestPath()
	if err == nil {
		return filepath.Dir(path), nil
	}
	if a.file != "" {
		return "", err
	}
	return os.Getwd()
}

func newConfigShow(a *app) *cobra.Command {
	var origin, asJSON bool
	command := &cobra.Command{
		Use:   "show",
		Short: "Show the settings in force",
		Example: `  lightshuttle config show
  lightshuttle config show --origin`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			dir, err := a.settingsDir()
			if err != nil {
				return err
			}
			if err := a.loadSettings(command, dir); err != nil {
				return err
			}
			if asJSON {
				return a.settingsAsJSON()
			}
			table := tabwriter.NewWriter(a.stdout, 0, 8, 2, ' ', 0)
			for _, entry := range a.settings.Entries() {
				fmt.Fprintf(table, "%s\t%s", entry.Key, entry.Value)
				if origin {
					fmt.Fprintf(table, "\t%s", entry.Origin)
				}
				fmt.Fprintln(table)
			}
			return table.Flush()
		},
	}
	command.Flags().BoolVar(&origin, "origin", false, "also show where each value comes from")
	command.Flags().BoolVar(&asJSON, "json", false, "print an array of JSON objects")
	return command
}

func (a *app) settingsAsJSON() error {
	type entry struct {
		Key    string `json:"key"`
		Value  string `json:"value"`
		Origin string `json:"origin"`
	}
	var entries []entry
	for _, e := range a.settings.Entries() {
		entries = append(entries, entry{e.Key, e.Value, e.Origin.String()})
	}
	encoder := json.NewEncoder(a.stdout)
	encoder.SetIndent("", "  ")
	return encoder.Encode(entries)
}

func newConfigInit(a *app) *cobra.Command {
	var user bool
	command := &cobra.Command{
		Use:   "init",
		Short: "Write a file of settings with all defaults, to edit",
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			path, err := a.newSettingsFile(user)
			if err != nil {
				return err
			}
			return a.initSettings(path)
		},
	}
	command.Flags().BoolVar(&user, "user", false, "the user's file instead of the project's")
	return command
}

func (a *app) newSettingsFile(user bool) (string, error) {
	if user {
		dir := config.UserDir(os.Environ())
		if dir == "" {
			return "", usage("there is no home folder for the user's settings")
		}
		return config.UserFile(dir), nil
	}
	dir, err := a.settingsDir()
	return config.ProjectFile(dir), err
}

func (a *app) initSettings(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return exitcode.With(exitcode.Wrong, err)
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return exitcode.With(exitcode.Wrong, fmt.Errorf("%s is there already; it was left as it is", path))
	}
	if err != nil {
		return exitcode.With(exitcode.Wrong, err)
	}
	_, err = file.Write(config.Template())
	if err := errors.Join(err, file.Close()); err != nil {
		return exitcode.With(exitcode.Wrong, err)
	}
	fmt.Fprintf(a.stderr, "wrote %s\n", path)
	return nil
}
