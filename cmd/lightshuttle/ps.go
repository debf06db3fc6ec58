package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/lightshuttle/lightshuttle/cmd/lightshuttle/plaintext"
	"github.com/lightshuttle/lightshuttle/host/lifecycle"
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
	rows, err := a.rowsOf(command.Context(), s)
	if err != nil {
		return err
	}
	a.tellOfEarlierNames(command.Context(), s, a.kept(s))
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

// rowsOf asks the `up` that owns the project, which knows more than the engine,
// else the engine.
func (a *app) rowsOf(ctx context.Context, s *session) ([]row, error) {
	if client := a.living(ctx, s.project); client != nil {
		defer client.Close()
		resources, err := client.Resources(ctx)
		if err == nil {
			return a.knownRows(resources), nil
		}
		a.logger.Warn("the engine is asked instead", "error", err)
	}
	states, err := s.list(ctx)
	if err != nil {
		return nil, err
	}
	return a.rows(states, s.stopped(a)), nil
}

// knownRows are the rows of what a living `up` knows.
func (a *app) knownRows(resources []lifecycle.Resource) []row {
	rows := make([]row, 0, len(resources))
	for _, resource := range resources {
		if resource.State == lifecycle.Stopped && resource.ID == "" {
			continue // it was in an earlier manifest, and is gone
		}
		status, health := seenAs(resource)
		r := row{
			Resource: resource.Name, Kind: resource.Kind, Runtime: cmp.Or(resource.Runtime, a.settings.Runtime),
			State: status, Health: health, Ready: resource.Ready,
			ID: resource.ID, Name: resource.Container, Image: resource.Image, Ports: resource.Ports,
			ExitCode: resource.ExitCode, Restarts: resource.Restarts,
		}
		if r.Ports == nil {
			r.Ports = []sdk.PortBinding{}
		}
		if !resource.StartedAt.IsZero() {
			r.StartedAt = &resource.StartedAt
		}
		if !resource.Ready {
			r.LastError = plaintext.Line(resource.LastError)
		}
		rows = append(rows, r)
	}
	sortRows(rows)
	return rows
}

// statusStopped is that of a container which the user has stopped.
const statusStopped = sdk.Status(lifecycle.Stopped)

// seenAs puts a resource's state into the words for a container, as far as it
// has one.
func seenAs(resource lifecycle.Resource) (sdk.Status, sdk.Health) {
	switch resource.State {
	case lifecycle.Healthy:
		return sdk.StatusRunning, sdk.HealthHealthy
	case lifecycle.Unhealthy:
		return sdk.StatusRunning, sdk.HealthUnhealthy
	case lifecycle.Running:
		if !resource.Ready {
			return sdk.StatusRunning, sdk.HealthStarting
		}
	}
	return sdk.Status(resource.State), sdk.HealthNone
}

func sortRows(rows []row) {
	slices.SortFunc(rows, func(x, y row) int { return cmp.Or(cmp.Compare(x.Resource, y.Resource), cmp.Compare(x.ID, y.ID)) })
}

func (a *app) rows(states []sdk.State, stopped func(resource string) string) []row {
	rows := make([]row, 0, len(states))
	for _, state := range states {
		r := row{
			Resource: state.Resource, Kind: state.Labels[sdk.LabelKind], Runtime: cmp.Or(state.Runtime, a.settings.Runtime),
			State: state.Status, Health: state.Health, Ready: isReady(state),
			ID: state.ID, Name: state.Name, Image: state.Image, Ports: state.Ports, ExitCode: state.ExitCode,
			Restarts: state.Restarts, LastError: plaintext.Line(lastError(state)),
		}
		if state.Status == sdk.StatusExited && stopped(state.Resource) == state.ID {
			r.State = statusStopped
		}
		if r.Ports == nil {
			r.Ports = []sdk.PortBinding{}
		}
		if !state.StartedAt.IsZero() {
			r.StartedAt = &state.StartedAt
		}
		rows = append(rows, r)
	}
	sortRows(rows)
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
