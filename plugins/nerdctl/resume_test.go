package nerdctl

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lightshuttle/lightshuttle/host/machine"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// scriptedAs runs a script in place of the client of that name.
func scriptedAs(t *testing.T, dialect, script string) *Runtime {
	t.Helper()
	path := filepath.Join(t.TempDir(), dialect)
	must(t, os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o700))
	host := machine.New(machine.Options{})
	r, err := Open(Options{Program: path, Host: host})
	must(t, err)
	t.Cleanup(func() {
		must(t, r.Close())
		must(t, host.Close())
	})
	return r
}

func podmanEvent(status string, at time.Time) string {
	return fmt.Sprintf(`{"ID":%q,"Name":"p.c","Status":%q,"Time":%q,"Type":"container","Attributes":{"lightshuttle.project":"p","lightshuttle.resource":"c"}}`,
		oneID, status, at.Format(time.RFC3339Nano))
}

// podman's events end when it begins another file, and fail when a line is half
// written. Who watches is told of everything once.
func TestEventsGoOnWherePodmansEnd(t *testing.T) {
	began := time.Now()
	started, died, removed := podmanEvent("start", began), podmanEvent("died", began.Add(time.Millisecond)), podmanEvent("remove", began.Add(2*time.Millisecond))
	r := scriptedAs(t, "podman", `echo "$@" >> "$0.calls"
case $(wc -l < "$0.calls") in
1) echo '`+started+`';;
2) echo '`+started+`'; echo '`+died+`'; echo 'Error: unexpected end of JSON input' >&2; exit 125;;
3) ;;
*) echo '`+died+`'; echo '`+removed+`'; exec sleep 1000;;
esac`)
	events, err := r.Watch(t.Context(), "p", time.Time{})
	must(t, err)
	for _, want := range []sdk.EventType{sdk.EventStarted, sdk.EventExited, sdk.EventRemoved} {
		if got := <-events; got.Type != want {
			t.Fatalf("got %+v, wanted %s", got, want)
		}
	}
	calls, err := os.ReadFile(r.program + ".calls")
	must(t, err)
	for line := range strings.Lines(string(calls)) {
		_, text, _ := strings.Cut(strings.TrimSpace(line), "--since ")
		since, err := time.Parse(time.RFC3339Nano, text)
		if err != nil || since.After(began.Add(time.Second)) || since.Before(began.Add(-time.Second)) {
			t.Errorf("asked with %q, %v", line, err)
		}
	}
}

func TestEventsThatNeverComeAreTold(t *testing.T) {
	r := scriptedAs(t, "podman", `echo x >> "$0.calls"; echo "Error: unable to connect to Podman socket" >&2; exit 125`)
	events, err := r.Watch(t.Context(), "p", time.Time{})
	must(t, err)
	event := <-events
	if event.Type != sdk.EventLost || !strings.Contains(event.Err.Error(), "unable to connect to Podman") {
		t.Errorf("got %+v", event)
	}
	calls, err := os.ReadFile(r.program + ".calls")
	must(t, err)
	if tries := strings.Count(string(calls), "x"); tries != 4 {
		t.Errorf("tried %d times", tries)
	}
}
