package main

import (
	"context"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/docker/docker/api/types/events"

	"github.com/lightshuttle/lightshuttle/host/lifecycle"
)

// neverReady is a stack whose start lasts until it is ended.
const neverReady = `
	db:
		container: {image: IMAGE, command: [sleep, "1000"], stop_signal: SIGKILL, healthcheck: {test: "exit 1", start_period: 600s}}
	app:
		container: {image: IMAGE, command: [sleep, "1000"], stop_signal: SIGKILL, depends_on: [db]}
`

func TestL11SignalWhileWaiting(t *testing.T) {
	for name, test := range map[string]struct {
		signal syscall.Signal
		code   int
	}{
		"SIGINT":  {syscall.SIGINT, 130},
		"SIGTERM": {syscall.SIGTERM, 143},
		"SIGHUP":  {syscall.SIGHUP, 129},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStack(t, neverReady)
			p := s.up()
			p.await(lifecycle.ResourceStarted, "db")
			p.signal(test.signal)
			p.end().exited(test.code).says("interrupted by signal", "all that this start had created was removed")
			s.wantNothingLeft()
		})
	}
}

func TestL11SignalWhileCreating(t *testing.T) {
	s := newStack(t, neverReady)
	p := s.up()
	p.await(lifecycle.ResourceStarting, "db")
	p.signal(syscall.SIGINT)
	p.end().exited(130)
}

// Whatever the signal hits, network and preflight included.
func TestL11SignalAtTheVeryBeginning(t *testing.T) {
	s := newStack(t, neverReady)
	p := s.up()
	p.await(lifecycle.StackStarting, "")
	p.signal(syscall.SIGINT)
	p.end().exited(130)
}

// lateSignal is a start that is done when the signal comes.
type lateSignal struct{ signals chan<- os.Signal }

func (l lateSignal) Start(ctx context.Context) error {
	l.signals <- syscall.SIGINT
	<-ctx.Done()
	return nil
}

func (lateSignal) Kill() {}

func TestASignalThatCameTooLateForADetachedStart(t *testing.T) {
	var stderr strings.Builder
	a := &app{stderr: &stderr}
	signals := make(chan os.Signal, 1)
	if err := a.startUntilSignal(t.Context(), lateSignal{signals}, signals); err != nil {
		t.Errorf("startUntilSignal() = %v, though all is ready", err)
	}
	if !strings.Contains(stderr.String(), "`lightshuttle down`") {
		t.Errorf("the user isn't told: %q", stderr.String())
	}
}

const ignoresTerm = `"trap '' TERM INT; while :; do sleep 1; done"`

func TestL11SecondSignalKillsAtOnce(t *testing.T) {
	s := newStack(t, `
	app:
		container: {image: IMAGE, command: `+ignoresTerm+`, stop_grace: 10m}
`)
	p := s.up()
	p.await(lifecycle.StackStarted, "")
	p.signal(syscall.SIGINT)
	p.await(lifecycle.ResourceStopping, "app")
	p.signal(syscall.SIGINT)
	p.end().exited(0)
}

func TestL11SecondSignalKillsARollback(t *testing.T) {
	s := newStack(t, `
	app:
		container: {image: IMAGE, command: `+ignoresTerm+`, stop_grace: 10m}
	db:
		container: {image: IMAGE, command: [sleep, "1000"], stop_signal: SIGKILL, healthcheck: {test: "exit 1", start_period: 600s}}
`)
	p := s.up()
	p.await(lifecycle.ResourceReady, "app")
	p.signal(syscall.SIGTERM)
	p.await(lifecycle.ResourceStopping, "app")
	p.signal(syscall.SIGTERM)
	p.end().exited(143)
}

// Six containers that don't listen end together, after one grace period. The
// engine's own times are compared.
func TestL9StopTakesOneGracePeriod(t *testing.T) {
	const grace = 2 * time.Second
	s := newStack(t, six(ignoresTerm))
	p := s.up()
	p.await(lifecycle.StackStarted, "")
	since := time.Now().Add(-time.Second)
	p.stop().exited(0)
	filter := s.ours()
	filter.Add("event", "die")
	filter.Add("event", "kill")
	ctx := s.context()
	messages, errs := s.docker.Events(ctx, events.ListOptions{Filters: filter, Since: since.Format(time.RFC3339Nano), Until: time.Now().Format(time.RFC3339Nano)})
	var first, last time.Time
	deaths := 0
	for open := true; open; {
		select {
		case message := <-messages:
			at := time.Unix(0, message.TimeNano)
			if first.IsZero() {
				first = at
			}
			if message.Action == events.ActionDie {
				deaths++
				last = at
			}
		case <-errs:
			open = false
		}
	}
	if deaths != 6 {
		t.Fatalf("%d containers died, want 6", deaths)
	}
	if took := last.Sub(first); took > 3*grace {
		t.Errorf("six containers took %s to die; one grace period is %s", took, grace)
	}
}

// six is a manifest of six resources that are alike.
func six(command string) string {
	var text strings.Builder
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		text.WriteString("\n\t" + name + ":\n\t\tcontainer: {image: IMAGE, command: " + command + ", stop_grace: 2s}\n")
	}
	return text.String()
}
