package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/lightshuttle/lightshuttle/cmd/lightshuttle/plaintext"
	"github.com/lightshuttle/lightshuttle/control"
	"github.com/lightshuttle/lightshuttle/host/lifecycle"
	"github.com/lightshuttle/lightshuttle/sdk"
)

type eventsOptions struct {
	since  uint64
	follow bool
	json   bool
}

func newEvents(a *app) *cobra.Command {
	var options eventsOptions
	command := &cobra.Command{
		Use:   "events",
		Short: "Show what has happened to the stack",
		Long: `Shows the events of the up that watches over the project, each with its number.
A reader that comes back with --since misses none; one that comes too late is told
how many it missed. When no up watches over it, --follow shows what the engine
says of its containers; those events have no numbers.`,
		Example: `  lightshuttle events
  lightshuttle events --follow --json
  lightshuttle events --since 17`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error { return a.events(command, options) },
	}
	flags := command.Flags()
	flags.Uint64Var(&options.since, "since", 0, "only what comes after the event with this number")
	flags.BoolVarP(&options.follow, "follow", "F", false, "go on with new events until Ctrl-C")
	flags.BoolVar(&options.json, "json", false, "print lines of JSON")
	return command
}

func (a *app) events(command *cobra.Command, options eventsOptions) error {
	s, err := a.openSession(command)
	if err != nil {
		return err
	}
	defer s.close()
	ctx, stop := signal.NotifyContext(command.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	print := a.eventLine
	if options.json {
		print = json.NewEncoder(a.stdout).Encode
	}
	client := a.living(ctx, s.project)
	switch {
	case client != nil:
		defer client.Close()
		err = copyEvents(client.Events(ctx, options.since, options.follow), print)
	case options.follow:
		err = s.engineEvents(ctx, print)
	default:
		fmt.Fprintf(a.stderr, "no `up` watches over project %s; --follow shows what the engine says of its containers\n", s.project)
		return nil
	}
	if ctx.Err() != nil || errors.Is(err, syscall.EPIPE) {
		return nil // the user has seen enough
	}
	return err
}

func copyEvents(events func(func(lifecycle.Event, error) bool), print func(any) error) error {
	for event, err := range events {
		if err != nil {
			return err
		}
		if err := print(event); err != nil {
			return err
		}
	}
	return nil
}

// engineEvents puts what the engine says into the form of events.
func (s *session) engineEvents(ctx context.Context, print func(any) error) error {
	watcher, ok := s.runtime.(sdk.Watcher)
	if !ok {
		return sdk.Errorf(sdk.CodeUnsupported, "events", "this runtime tells nothing of its containers")
	}
	heard, err := watcher.Watch(ctx, s.project, time.Time{})
	if err != nil {
		return err
	}
	for event := range heard {
		if event.Type == sdk.EventLost {
			return event.Err
		}
		if err := print(translated(event)); err != nil {
			return err
		}
	}
	return nil
}

func translated(event sdk.Event) lifecycle.Event {
	to := lifecycle.Event{Time: event.Time, Type: lifecycle.EventType("resource_" + string(event.Type)), Resource: event.Resource, ID: event.ID}
	switch event.Type {
	case sdk.EventExited:
		to.ExitCode = &event.ExitCode
	case sdk.EventRemoved:
		to.Type = lifecycle.ResourceStopped
	}
	return to
}

// eventLine prints an event for people.
func (a *app) eventLine(content any) error {
	event, ok := content.(lifecycle.Event)
	if !ok {
		return fmt.Errorf("no event: %v", content)
	}
	number := ""
	if event.Seq > 0 {
		number = strconv.FormatUint(event.Seq, 10)
	}
	_, err := fmt.Fprintf(a.stdout, "%5s  %s  %s\n", number, event.Time.Local().Format("15:04:05.000"), eventText(event))
	return err
}

func eventText(event lifecycle.Event) string {
	switch event.Type {
	case lifecycle.EventsMissed:
		return fmt.Sprintf("%d events were missed", event.Missed)
	case control.EventsRestarted:
		return "this is another run; its events from the first"
	}
	if event.Resource != "" && strings.HasPrefix(string(event.Type), "resource_") {
		return event.Resource + ": " + resourceText(event)
	}
	text := strings.ReplaceAll(string(event.Type), "_", " ")
	if event.Error != "" {
		text += ": " + plaintext.Line(event.Error)
	}
	return text
}
