package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/lightshuttle/lightshuttle/cmd/lightshuttle/plaintext"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// row is one resource in the output of ps; its JSON form is documented.
type row struct {
	Resource  string            `json:"resource"`
	Kind      string            `json:"kind"`
	Runtime   string            `json:"runtime"`
	State     sdk.Status        `json:"state"`
	Health    sdk.Health        `json:"health"`
	Ready     bool              `json:"ready"`
	ID        string            `json:"id"`
	Name      string            `json:"name"`
	Image     string            `json:"image"`
	Ports     []sdk.PortBinding `json:"ports"`
	ExitCode  *int              `json:"exit_code"`
	StartedAt *time.Time        `json:"started_at"`
	Restarts  int               `json:"restarts"`
	LastError string            `json:"last_error"`
}

func newPs(a *app) *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:   "ps",
		Short: "Show the containers of the project",
		Example: `  lightshuttle ps
  lightshuttle ps -p shop --json`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error { return a.ps(command, asJSON) },
	}
	command.Flags().BoolVar(&asJSON, "json", false, "print an array of JSON objects")
	return command
}

func (a *app) ps(command *cobra.Command, asJSON bool) error {
	s, err := a.openSession(command)
	if err != nil {
		return err
	}
	defer s.close()
	lister, err := s.lister()
	if err != nil {
		return err
	}
	states, err := lister.List(command.Context(), s.project)
	if err != nil {
		return err
	}
	rows := a.rows(states)
	if asJSON {
		encoder := json.NewEncoder(a.stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(rows)
	}
	if len(rows) == 0 {
		fmt.Fprintf(a.stderr, "project %s has no containers\n", s.project)
		return nil
	}
	return a.writeRows(rows)
}

func (a *app) rows(states []sdk.State) []row {
	rows := make([]row, 0, len(states))
	for _, state := range states {
		r := row{
			Resource: state.Resource, Kind: state.Labels[sdk.LabelKind], Runtime: a.settings.Runtime,
			State: state.Status, Health: state.Health, Ready: isReady(state),
			ID: state.ID, Name: state.Name, Image: state.Image, Ports: state.Ports, ExitCode: state.ExitCode,
			Restarts: state.Restarts, LastError: plaintext.Line(lastError(state)),
		}
		if r.Ports == nil {
			r.Ports = []sdk.PortBinding{}
		}
		if !state.StartedAt.IsZero() {
			r.StartedAt = &state.StartedAt
		}
		rows = append(rows, r)
	}
	slices.SortFunc(rows, func(x, y row) int { return cmp.Or(cmp.Compare(x.Resource, y.Resource), cmp.Compare(x.ID, y.ID)) })
	return rows
}

// isReady is what can be told of readiness from outside.
func isReady(state sdk.State) bool {
	return state.Status == sdk.StatusRunning && (state.Health == sdk.HealthHealthy || state.Health == sdk.HealthNone)
}

func lastError(state sdk.State) string {
	switch {
	case state.OOMKilled:
		return "killed for lack of memory"
	case state.Error != "":
		return state.Error
	case state.Health == sdk.HealthUnhealthy:
		return state.HealthOutput
	}
	return ""
}

func (a *app) writeRows(rows []row) error {
	table := tabwriter.NewWriter(a.stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "RESOURCE\tSTATE\tUPTIME\tPORTS\tIMAGE\tRUNTIME")
	for _, r := range rows {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", r.Resource, r.stateText(), r.uptime(time.Now()), formatPorts(r.Ports), r.Image, r.Runtime)
	}
	return table.Flush()
}

func (r row) stateText() string {
	switch {
	case r.State == sdk.StatusRunning && r.Health != sdk.HealthNone:
		return string(r.Health)
	case r.ExitCode != nil:
		return fmt.Sprintf("%s (%d)", r.State, *r.ExitCode)
	}
	return string(r.State)
}

func (r row) uptime(now time.Time) string {
	if r.StartedAt == nil || r.State != sdk.StatusRunning {
		return ""
	}
	return now.Sub(*r.StartedAt).Truncate(time.Second).String()
}
