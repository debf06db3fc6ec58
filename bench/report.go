package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// report collects what was measured.
type report struct {
	Machine string `json:"machine"`
	Engine  string `json:"engine"`
	Program string `json:"program"`
	Compose string `json:"compose"`
	// Others are the containers that ran on the engine before the run began, and
	// Load is the machine's load: either makes the figures worse.
	Others   int      `json:"others"`
	Load     string   `json:"load,omitempty"`
	Figures  []figure `json:"figures"`
	Ratios   []ratio  `json:"ratios"`
	Limits   []limit  `json:"limits"`
	Failures []string `json:"failures,omitempty"`
}

// figure is what one subject took in one scenario.
type figure struct {
	Scenario string  `json:"scenario"`
	Subject  string  `json:"subject"`
	Unit     string  `json:"unit"`
	Median   float64 `json:"median"`
	Min      float64 `json:"min"`
	Max      float64 `json:"max"`
	Runs     series  `json:"runs"`
}

// ratio compares two subjects; less is better.
type ratio struct {
	What      string  `json:"what"`
	OfMedians float64 `json:"of_medians"`
	Pairwise  float64 `json:"pairwise"`
	// Most is the target; without one it is 0.
	Most    float64 `json:"most,omitempty"`
	Verdict string  `json:"verdict"`
}

// limit compares a figure with what it may be at most.
type limit struct {
	What    string  `json:"what"`
	Value   float64 `json:"value"`
	Most    float64 `json:"most"`
	Unit    string  `json:"unit"`
	Verdict string  `json:"verdict"`
}

// The verdicts. Without a target, what is said is who was faster or smaller.
const (
	reached = "reached"
	// narrowly is for a target that one of the two ratios misses.
	narrowly = "**not sure**"
	missed   = "**missed**"
	win      = "win"
	loss     = "loss"
)

// none is the target of a ratio that has none.
const none = 0

// add adds the series of all subjects for one measure.
func (r *report) add(scenario, unit string, measured figures) {
	for _, subject := range []string{us, byExec, rival, best} {
		s := measured[subject]
		if len(s) > 0 {
			r.Figures = append(r.Figures, figure{scenario, subject, unit, s.median(), s.min(), s.max(), s})
		}
	}
}

// compare adds a ratio. Most is the target, or none.
func (r *report) compare(what string, ours, theirs series, most float64) {
	medians, pairwise := ours.ofMedians(theirs), ours.pairwise(theirs)
	r.Ratios = append(r.Ratios, ratio{what, medians, pairwise, most, judge(medians, pairwise, most)})
}

func judge(medians, pairwise, most float64) string {
	if most == none {
		if medians <= 1 {
			return win
		}
		return loss
	}
	switch {
	case medians <= most && pairwise <= most:
		return reached
	case medians <= most || pairwise <= most:
		return narrowly
	}
	return missed
}

// limit adds a figure that may only be so large.
func (r *report) limit(what string, value, most float64, unit string) {
	verdict := reached
	if value > most {
		verdict = missed
	}
	r.Limits = append(r.Limits, limit{what, value, most, unit, verdict})
}

func (r *report) markdown(w io.Writer) {
	fmt.Fprintf(w, "%s; %s; %s; compose %s.\n", r.Machine, r.Engine, r.Program, r.Compose)
	fmt.Fprintf(w, "Before the run: %d other containers, load %s.\n", r.Others, r.Load)
	if len(r.Figures) > 0 {
		fmt.Fprint(w, "\n| scenario | subject | median | min | max | runs |\n|---|---|---:|---:|---:|---:|\n")
	}
	for _, f := range r.Figures {
		fmt.Fprintf(w, "| %s | %s | %.4g %s | %.4g | %.4g | %d |\n", f.Scenario, f.Subject, f.Median, f.Unit, f.Min, f.Max, len(f.Runs))
	}
	if len(r.Ratios) > 0 {
		fmt.Fprint(w, "\n| ratio | of medians | median of pairs | at most | |\n|---|---:|---:|---:|---|\n")
	}
	for _, t := range r.Ratios {
		most := "–"
		if t.Most != none {
			most = fmt.Sprintf("%g", t.Most)
		}
		fmt.Fprintf(w, "| %s | %.3g | %.3g | %s | %s |\n", t.What, t.OfMedians, t.Pairwise, most, t.Verdict)
	}
	if len(r.Limits) > 0 {
		fmt.Fprint(w, "\n| size | measured | at most | |\n|---|---:|---:|---|\n")
	}
	for _, l := range r.Limits {
		fmt.Fprintf(w, "| %s | %.3g %s | %g %s | %s |\n", l.What, l.Value, l.Unit, l.Most, l.Unit, l.Verdict)
	}
	fmt.Fprintf(w, "\n%s\n", r.summary())
}

// summary says plainly what was not reached.
func (r *report) summary() string {
	var lines []string
	for _, failure := range r.Failures {
		lines = append(lines, "**Failed:** "+failure)
	}
	for _, t := range r.Ratios {
		if t.Verdict == missed || t.Verdict == narrowly {
			lines = append(lines, fmt.Sprintf("%s: %s is %.3g (pairs: %.3g), and should be %g at most.", t.Verdict, t.What, t.OfMedians, t.Pairwise, t.Most))
		}
	}
	for _, l := range r.Limits {
		if l.Verdict == missed {
			lines = append(lines, fmt.Sprintf("%s: %s is %.3g %s, and should be %g at most.", l.Verdict, l.What, l.Value, l.Unit, l.Most))
		}
	}
	if len(lines) == 0 {
		return "All targets that were measured are reached."
	}
	// A blank line makes a paragraph of each.
	return strings.Join(lines, "\n\n")
}

// save writes the report as JSON, if there is a path.
func (r *report) save(path string) error {
	if path == "" {
		return nil
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(file)
	encoder.SetIndent("", "  ")
	return errors.Join(encoder.Encode(r), file.Close())
}
