package nerdctl

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// containers answers to ps with two ids and to inspect with what the functions
// one and other print, and counts the inspect commands in $0.count.
var containers = `one=` + oneID + ` other=` + otherID + `
say() { printf '{"Id":"%s","Name":"p.c","Config":{"Labels":{"lightshuttle.project":"p","lightshuttle.resource":"c"}},"State":{"Status":"%s","ExitCode":0}}' "$1" "$2"; }
warn() { echo "time=\"2026-11-25T07:00:00Z\" level=warning msg=\"failed to inspect $2\" error=\"context deadline exceeded\" id=$1" >&2; }
if [ "$1" = ps ]; then echo $one; echo $other; exit 0; fi
[ "$1" = inspect ] || exit 1
echo x >> "$0.count"; n=$(wc -l < "$0.count"); shift 3
`

var (
	oneID   = strings.Repeat("1", 64)
	otherID = strings.Repeat("2", 64)
)

// containerd that is too busy to ask a shim says "unknown", and 0 for an exit
// code: that is no exit.
func TestAStateThatTheEngineCantTellIsAskedForAgain(t *testing.T) {
	for name, unsure := range map[string]string{
		"unknown":      `printf '['; say $1 unknown; printf ']'`,
		"no status":    `warn $1 Status; printf '['; say $1 ""; printf ']'`,
		"no task":      `warn $1 Task; printf '['; say $1 ""; printf ']'`,
		"not in words": `printf '['; say $1 unknown; printf ']'; warn $1 NetNS`,
	} {
		t.Run(name, func(t *testing.T) {
			r := scripted(t, containers+`if [ $n -lt 3 ]; then `+unsure+`; exit 0; fi
printf '['; say $1 running; printf ']'`)
			state, err := r.WaitHealthy(t.Context(), oneID, nil)
			must(t, err)
			if state.Status != sdk.StatusRunning || state.ExitCode != nil || state.Error != "" {
				t.Errorf("got %+v", state)
			}
		})
	}
}

func TestAStateThatTheEngineNeverTells(t *testing.T) {
	r := scripted(t, containers+`printf '['; say $1 unknown; [ $# = 1 ] || { printf ,; say $2 exited; }; printf ']'`)
	_, err := r.Inspect(t.Context(), oneID)
	wantError(t, err, sdk.CodeUnavailable, "can't tell its state", "rm -f 111111111111")
	states, err := r.List(t.Context(), "p")
	must(t, err)
	told := map[string]sdk.State{}
	for _, state := range states {
		told[state.ID] = state
	}
	if len(states) != 2 || told[otherID].Status != sdk.StatusExited || told[oneID].Ended() || told[oneID].ExitCode != nil || told[oneID].Error == "" {
		t.Errorf("got %+v", states)
	}
}

// A container without a task has no status in nerdctl's words.
func TestAContainerThatNeverRanIsCreated(t *testing.T) {
	r := scripted(t, containers+`printf '['; say $1 ""; printf ']'`)
	state, err := r.Inspect(t.Context(), oneID)
	must(t, err)
	if state.Status != sdk.StatusCreated {
		t.Errorf("got %+v", state)
	}
}

// One that is removed between two looks is named in the reason; one that there is
// only a warning about is there.
func TestAListSurvivesARemovalAndAWarning(t *testing.T) {
	r := scripted(t, containers+fmt.Sprintf(`if [ $n = 1 ]; then warn $one Task; echo 'time="x" level=fatal msg="1 errors:\n[no such object %s]"' >&2; exit 1; fi
printf '['; say $1 running; printf ']'`, otherID))
	states, err := r.List(t.Context(), "p")
	must(t, err)
	if len(states) != 1 || states[0].ID != oneID || states[0].Status != sdk.StatusRunning {
		t.Errorf("got %+v", states)
	}
}
