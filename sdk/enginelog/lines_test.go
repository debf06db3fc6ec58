package enginelog

import (
	"strings"
	"testing"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// podman puts a timestamp wherever the output of a program came in two reads.
func TestTimestampsInsideOfLinesAreTakenOut(t *testing.T) {
	const printed = "2026-11-25T05:54:45.014030448Z li2026-11-25T05:54:45.0140305Z ne 1\n" +
		"2026-11-25T05:54:46.5Z 2026-11-25T05:54:46.499Z a program's own, 2026-11-25T05:54:46.498Z twice\n" +
		"2026-11-25T05:54:47.5Z a2026-11-25T05:54:47.6Z b2026-11-25T05:54:47.7Z c"
	for pieces, want := range map[bool]string{
		true:  "line 1\n2026-11-25T05:54:46.499Z a program's own, 2026-11-25T05:54:46.498Z twice\nabc",
		false: "li2026-11-25T05:54:45.0140305Z ne 1\n2026-11-25T05:54:46.499Z a program's own, 2026-11-25T05:54:46.498Z twice\na2026-11-25T05:54:47.6Z b2026-11-25T05:54:47.7Z c",
	} {
		entries := make(chan sdk.LogEntry, 10)
		lineReader{pieces: pieces}.read(strings.NewReader(printed), sdk.Stdout, entries, nil)
		var got strings.Builder
		for entry := range entries {
			got.Write(entry.Data)
		}
		if got.String() != want {
			t.Errorf("pieces %t: got %q", pieces, got.String())
		}
	}
}
