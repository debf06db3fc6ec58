package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
)

// report collects what was measured.
type report struct {
	Machine string   `json:"machine"`
	Figures []figure `json:"figures"`
	Targets []target `json:"targets"`
}

// figure is what one subject took in one scenario.
type figure struct {
	Scenario string  `json:"scenario"`
	Subject  string  `json:"subject"`
	Unit     string  `json:"unit"`
	Median   float64 `json:"median"`
	Least    float64 `json:"least"`
	Most     float64 `json:"most"`
	Rounds   int     `json:"rounds"`
}

// target is a ratio, or a size, with the most that it may be.
type target struct {
	What  string  `json:"what"`
	Value float64 `json:"value"`
	Most  float64 `json:"most"`
	Met   bool    `json:"met"`
}

func newReport() *report {
	return &report{Machine: fmt.Sprintf("%s/%s, %d cores, %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())}
}

func (r *report) figure(scenario, subject, unit string, s series) {
	if len(s) == 0 {
		return
	}
	r.Figures = append(r.Figures, figure{scenario, subject, unit, s.median(), s.least(), s.most(), len(s)})
}

func (r *report) target(what string, value, most float64) {
	r.Targets = append(r.Targets, target{what, value, most, value <= most})
}

func (r *report) markdown(w io.Writer) {
	fmt.Fprintf(w, "%s\n\n| scenario | subject | median | least | most | rounds |\n|---|---|---:|---:|---:|---:|\n", r.Machine)
	for _, f := range r.Figures {
		fmt.Fprintf(w, "| %s | %s | %.4g %s | %.4g | %.4g | %d |\n", f.Scenario, f.Subject, f.Median, f.Unit, f.Least, f.Most, f.Rounds)
	}
	fmt.Fprint(w, "\n| ratio | measured | at most | |\n|---|---:|---:|---|\n")
	for _, t := range r.Targets {
		verdict := "reached"
		if !t.Met {
			verdict = "**missed**"
		}
		fmt.Fprintf(w, "| %s | %.3g | %g | %s |\n", t.What, t.Value, t.Most, verdict)
	}
}

func (r *report) json(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}
