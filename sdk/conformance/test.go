package conformance

import (
	"strings"
	"testing"
)

// Test makes the checks, each as a subtest of its name, logs the report and
// returns it.
func Test(t *testing.T, target Target) Report {
	t.Helper()
	report, err := runEach(t.Context(), target, func(name string, run func() Result) {
		t.Run(name, func(t *testing.T) {
			result := run()
			if result.Status == Failed {
				t.Errorf("%s\n%s", result.Promise, result.Reason)
			}
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := report.WriteText(&text, false); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + text.String())
	return report
}
