package conformance

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// Status is how a check ended.
type Status string

// How checks end.
const (
	Passed Status = "passed"
	Failed Status = "failed"
	// Refused says that the runtime can't honour what the check is about, and
	// says so as the contract wants.
	Refused Status = "refused"
	// Excluded says that the target gives a reason why the engine can't pass.
	Excluded Status = "excluded"
	// NotOffered says that the runtime or the target lacks what the check needs.
	NotOffered Status = "not_offered"
	// AboveLevel says that the check is of a level that the target doesn't declare.
	AboveLevel Status = "above_level"
)

// statuses is the order of the summary.
var statuses = []Status{Passed, Failed, Refused, Excluded, NotOffered, AboveLevel}

// Result is how one check ended, and why.
type Result struct {
	Check   string `json:"check"`
	Level   Level  `json:"level"`
	Promise string `json:"promise"`
	Status  Status `json:"status"`
	// Reason says why the check didn't pass.
	Reason string `json:"reason,omitempty"`
	// Took is the time that it took, in milliseconds.
	Took int64 `json:"took_ms"`
}

// Report is how a runtime keeps the contract.
type Report struct {
	Target  string   `json:"target"`
	Level   Level    `json:"level"`
	Results []Result `json:"results"`
	// Took is the time that all of it took, in milliseconds.
	Took int64 `json:"took_ms"`
}

// Passed says whether no check failed.
func (r Report) Passed() bool { return r.Count(Failed) == 0 && len(r.Results) > 0 }

// Count is the number of checks that ended so.
func (r Report) Count(status Status) int {
	n := 0
	for _, result := range r.Results {
		if result.Status == status {
			n++
		}
	}
	return n
}

// Failures are the results of the checks that failed.
func (r Report) Failures() []Result {
	var failures []Result
	for _, result := range r.Results {
		if result.Status == Failed {
			failures = append(failures, result)
		}
	}
	return failures
}

// WriteText writes the report for people: what didn't pass, with its reason,
// and the sums. With verbose it lists what passed, too.
func (r Report) WriteText(w io.Writer, verbose bool) error {
	var text strings.Builder
	for _, result := range r.Results {
		if !verbose && (result.Status == Passed || result.Status == AboveLevel) {
			continue
		}
		fmt.Fprintf(&text, "%-11s  %-7s  %-32s  %s\n", word(result.Status), result.Level, result.Check, result.Promise)
		if result.Reason != "" {
			fmt.Fprintf(&text, "%15s%s\n", "", strings.ReplaceAll(result.Reason, "\n", "\n               "))
		}
	}
	fmt.Fprintf(&text, "%s, level %s:", r.Target, r.Level)
	for i, status := range statuses {
		if i > 0 {
			text.WriteByte(',')
		}
		fmt.Fprintf(&text, " %d %s", r.Count(status), word(status))
	}
	fmt.Fprintf(&text, "; in %s\n", (time.Duration(r.Took) * time.Millisecond).Round(time.Millisecond))
	_, err := io.WriteString(w, text.String())
	return err
}

func word(status Status) string { return strings.ReplaceAll(string(status), "_", " ") }

// WriteJSON writes the report for programs.
func (r Report) WriteJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}
