package nerdctl

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// counted is a script in which $n is how often it was called like this before.
func counted(t *testing.T) (script string, calls func(verb string) int) {
	folder := t.TempDir()
	script = version + `echo . >> ` + folder + `/$1; n=$(wc -l < ` + folder + `/$1)
`
	return script, func(verb string) int {
		content, err := os.ReadFile(filepath.Join(folder, verb))
		must(t, err)
		return strings.Count(string(content), "\n")
	}
}

const gonePattern = `echo 'time="x" level=fatal msg="1 errors: [no such object c]"' >&2; exit 1
`

func TestAStartThatTheRestartMonitorCameInBetweenOfIsTriedAgain(t *testing.T) {
	const id = "25d1e95e4ae6fe60a4b2a58d4e9fc16e200d6afb269829abaaee34ec8dc8475e"
	script, calls := counted(t)
	r := scripted(t, script+`case "$1" in
run) [ $n = 2 ] && { echo `+id+`; exit 0; }
	echo 'time="x" level=fatal msg="cannot start a container that has stopped: unknown"' >&2; exit 1;;
*) `+gonePattern+`;; esac`)
	spec := sdk.Spec{Project: "p", Resource: "c", Name: "p.c", Image: "i", Restart: sdk.RestartPolicy{Mode: sdk.RestartAlways}}
	got, err := r.Start(t.Context(), spec)
	must(t, err)
	if got != id || calls("run") != 2 {
		t.Errorf("got %s after %d runs", got, calls("run"))
	}
}

func TestAContainerWithoutPolicyThatStoppedIsNotStartedAgain(t *testing.T) {
	script, calls := counted(t)
	r := scripted(t, script+`case "$1" in
run) echo 'time="x" level=fatal msg="cannot start a container that has stopped: unknown"' >&2; exit 1;;
*) `+gonePattern+`;; esac`)
	_, err := r.Start(t.Context(), sdk.Spec{Project: "p", Resource: "c", Name: "p.c", Image: "i"})
	wantError(t, err, sdk.CodeInternal, "has stopped")
	if calls("run") != 1 {
		t.Errorf("it was run %d times", calls("run"))
	}
}

func TestARemovalThatARestartCameInBetweenOfIsTriedAgain(t *testing.T) {
	const cut = `echo 'Error: cannot remove container c as it could not be stopped: sending SIGKILL to container c: container state improper' >&2; exit 2
`
	script, calls := counted(t)
	r := scripted(t, script+`case "$1" in
rm) [ $n = 3 ] && exit 0
`+cut+`;;
*) echo '[{"Id":"c","Name":"c","State":{"Status":"running"}}]';; esac`)
	must(t, r.Remove(t.Context(), "c"))
	if calls("rm") != 3 {
		t.Errorf("it was tried %d times", calls("rm"))
	}
}

// nerdctl stops following as soon as the container has ended, whether or not it
// has read all of the log.
func TestTheEndOfAFollowedLogIsRead(t *testing.T) {
	for name, c := range map[string]struct{ followed, whole, want string }{
		"nothing was lost": {"1Z a\n2Z b\n", "1Z a\n2Z b\n", "a b "},
		"the last lines":   {"1Z a\n", "1Z a\n2Z b\n3Z c\n", "a b c "},
		"all of it":        {"", "1Z a\n2Z b\n", "a b "},
		"of the same time": {"1Z a\n2Z b\n", "1Z a\n2Z b\n2Z c\n", "a b c "},
	} {
		t.Run(name, func(t *testing.T) {
			r := scripted(t, version+`case "$*" in
*--follow*) printf '`+stamped(c.followed)+`';;
*) printf '`+stamped(c.whole)+`';; esac`)
			var got strings.Builder
			must(t, r.Logs(t.Context(), "c", sdk.LogOptions{Follow: true, Tail: -1}, func(entry sdk.LogEntry) error {
				got.WriteString(strings.TrimSpace(string(entry.Data)) + " ")
				return nil
			}))
			if got.String() != c.want {
				t.Errorf("got %q, wanted %q", got.String(), c.want)
			}
		})
	}
}

// stamped writes times out that are given as a digit and Z.
func stamped(lines string) string {
	var all strings.Builder
	for line := range strings.Lines(lines) {
		all.WriteString("2026-11-25T05:54:4" + strings.ReplaceAll(line, "\n", `\n`))
	}
	return all.String()
}
