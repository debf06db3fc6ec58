package plan

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"text/tabwriter"
)

// Changes says whether the plan has anything to do.
func (p *Plan) Changes() bool {
	for _, step := range p.Steps {
		if step.Action != Keep {
			return true
		}
	}
	for _, step := range p.Volumes {
		if step.Action != Keep {
			return true
		}
	}
	return false
}

// WriteText writes the plan for people: a line for each step, with its reason.
func (p *Plan) WriteText(w io.Writer) error {
	var text strings.Builder
	fmt.Fprintf(&text, "project %s\n", p.Project)
	table := tabwriter.NewWriter(&text, 0, 8, 2, ' ', 0)
	if p.Network != nil {
		fmt.Fprintf(table, "  %s\tnetwork\t%s\t\t\n", p.Network.Action, p.Network.Network.Name)
	}
	for _, step := range p.Volumes {
		fmt.Fprintf(table, "  %s\tvolume\t%s\t\t\n", step.Action, step.Volume.Name)
	}
	for _, step := range p.Steps {
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\t%s\n", step.Action, step.Kind, step.Resource, step.what(), step.why())
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := io.WriteString(w, trailingSpace.ReplaceAllString(text.String(), "\n"))
	return err
}

// trailingSpace is what the columns leave behind a short line.
var trailingSpace = regexp.MustCompile(` +\n`)

// what is the image, and what has to be done about it.
func (s *Step) what() string {
	if s.Spec == nil {
		return s.Previous.Image
	}
	if s.Prepare != "" {
		return fmt.Sprintf("%s (%s)", s.Spec.Image, s.Prepare)
	}
	return s.Spec.Image
}

func (s *Step) why() string {
	if len(s.DependsOn) == 0 || s.Action == Remove {
		return s.Reason
	}
	waits := make([]string, len(s.DependsOn))
	for i, dependency := range s.DependsOn {
		waits[i] = fmt.Sprintf("%s is %s", dependency.Resource, dependency.Condition)
	}
	return fmt.Sprintf("%s; waits until %s", s.Reason, strings.Join(waits, ", "))
}
