package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/lightshuttle/lightshuttle/manifest"
	"github.com/lightshuttle/lightshuttle/sdk"
)

type logsOptions struct {
	resources  []string
	follow     bool
	tail       int
	since      string
	timestamps bool
}

func newLogs(a *app) *cobra.Command {
	var options logsOptions
	command := &cobra.Command{
		Use:   "logs [RESOURCE...]",
		Short: "Show what the containers have printed",
		Long: `Shows the output of the named resources, or of all. With several, each line is
prefixed with its resource, and older output is in the order of its time.`,
		Example: `  lightshuttle logs db
  lightshuttle logs -F --tail 20
  lightshuttle logs --since 10m app`,
		ValidArgsFunction: a.completeResources,
		RunE: func(command *cobra.Command, args []string) error {
			options.resources = args
			return a.logs(command, options)
		},
	}
	flags := command.Flags()
	flags.BoolVarP(&options.follow, "follow", "F", false, "go on with new output until Ctrl-C")
	flags.IntVar(&options.tail, "tail", -1, "only the last lines of each resource (-1: all)")
	flags.StringVar(&options.since, "since", "", "only what is newer than a duration such as 10m, or an RFC 3339 time")
	flags.BoolVarP(&options.timestamps, "timestamps", "t", false, "begin each line with its time")
	return command
}

func (a *app) logs(command *cobra.Command, options logsOptions) error {
	since, err := parseSince(options.since, time.Now())
	if err != nil {
		return err
	}
	s, err := a.openSession(command)
	if err != nil {
		return err
	}
	defer s.close()
	logger, ok := s.runtime.(sdk.Logger)
	if !ok {
		return sdk.Errorf(sdk.CodeUnsupported, "logs", "this runtime keeps no logs")
	}
	ctx, stop := signal.NotifyContext(command.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	states, err := s.containersOf(ctx, "logs", options.resources)
	if err != nil {
		return err
	}
	w := a.newLogWriter(states, options.timestamps)
	wanted := sdk.LogOptions{Follow: options.follow, Since: since, Tail: options.tail}
	err = w.copyAll(ctx, logger, states, wanted)
	if ctx.Err() != nil || errors.Is(err, syscall.EPIPE) {
		return nil // the user has seen enough
	}
	return err
}

func parseSince(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if ago, err := manifest.ParseDuration(text); err == nil {
		return now.Add(-ago), nil
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, usage("--since must be a duration such as 10m or a time such as 2026-01-02T15:04:05Z, not %q", text)
	}
	return at, nil
}

// containersOf returns the containers of the named resources, or all, sorted.
func (s *session) containersOf(ctx context.Context, op string, resources []string) ([]sdk.State, error) {
	states, err := s.list(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range resources {
		if !slices.ContainsFunc(states, func(state sdk.State) bool { return state.Resource == name }) {
			return nil, &sdk.Error{
				Code: sdk.CodeNotFound, Op: op, Resource: name, Err: fmt.Errorf("there is no container of it in project %s", s.project),
				Hint: "see `lightshuttle ps`",
			}
		}
	}
	states = slices.DeleteFunc(states, func(state sdk.State) bool {
		return len(resources) > 0 && !slices.Contains(resources, state.Resource)
	})
	slices.SortFunc(states, func(x, y sdk.State) int { return cmp.Compare(x.Resource, y.Resource) })
	return states, nil
}

// logWriter writes the output of several containers to the program's own.
type logWriter struct {
	app        *app
	prefixes   map[string]string
	timestamps bool
	mu         sync.Mutex
}

var prefixColours = []string{"\x1b[36m", "\x1b[33m", "\x1b[32m", "\x1b[35m", "\x1b[34m", "\x1b[31m"}

func (a *app) newLogWriter(states []sdk.State, timestamps bool) *logWriter {
	w := &logWriter{app: a, timestamps: timestamps, prefixes: map[string]string{}}
	if len(states) < 2 {
		return w
	}
	width := 0
	for _, state := range states {
		width = max(width, len(state.Resource))
	}
	colour := isTerminal(a.stdout) && os.Getenv("NO_COLOR") == ""
	for i, state := range states {
		prefix := state.Resource + strings.Repeat(" ", width-len(state.Resource)) + " | "
		if colour {
			prefix = prefixColours[i%len(prefixColours)] + prefix + "\x1b[0m"
		}
		w.prefixes[state.ID] = prefix
	}
	return w
}

// copyAll writes what there is, several containers in the order of time when
// nothing is followed, and else as it comes.
func (w *logWriter) copyAll(ctx context.Context, logger sdk.Logger, states []sdk.State, options sdk.LogOptions) error {
	if len(states) == 1 {
		return logger.Logs(ctx, states[0].ID, options, func(entry sdk.LogEntry) error { return w.write(states[0].ID, entry) })
	}
	errs := make([]error, len(states))
	var all sync.WaitGroup
	streams := make([]chan sdk.LogEntry, len(states))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for i, state := range states {
		streams[i] = make(chan sdk.LogEntry)
		all.Go(func() {
			defer close(streams[i])
			errs[i] = logger.Logs(ctx, state.ID, options, func(entry sdk.LogEntry) error {
				entry.Data = bytes.Clone(entry.Data)
				select {
				case streams[i] <- entry:
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			})
		})
	}
	var err error
	if options.Follow {
		err = w.asItComes(states, streams)
	} else {
		err = w.merged(states, streams)
	}
	cancel()
	all.Wait()
	if err != nil {
		return err
	}
	return errors.Join(errs...)
}

// merged writes the entries of all streams in the order of their times.
func (w *logWriter) merged(states []sdk.State, streams []chan sdk.LogEntry) error {
	heads := make([]*sdk.LogEntry, len(streams))
	advance := func(i int) {
		heads[i] = nil
		if entry, more := <-streams[i]; more {
			heads[i] = &entry
		}
	}
	for i := range streams {
		advance(i)
	}
	for {
		first := -1
		for i, head := range heads {
			if head != nil && (first < 0 || head.Time.Before(heads[first].Time)) {
				first = i
			}
		}
		if first < 0 {
			return nil
		}
		if err := w.write(states[first].ID, *heads[first]); err != nil {
			return err
		}
		advance(first)
	}
}

func (w *logWriter) asItComes(states []sdk.State, streams []chan sdk.LogEntry) error {
	errs := make([]error, len(streams))
	var all sync.WaitGroup
	for i, stream := range streams {
		all.Go(func() {
			for entry := range stream {
				if errs[i] == nil {
					errs[i] = w.write(states[i].ID, entry)
				}
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// write writes one entry to the stream that it came from.
func (w *logWriter) write(id string, entry sdk.LogEntry) error {
	to := w.app.stdout
	if entry.Stream == sdk.Stderr {
		to = w.app.stderr
	}
	prefix := w.prefixes[id]
	if w.timestamps {
		prefix += entry.Time.Format(time.RFC3339Nano) + " "
	}
	data := entry.Data
	if prefix != "" {
		data = append([]byte(prefix), data...)
		if !bytes.HasSuffix(data, []byte("\n")) {
			data = append(data, '\n')
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	_, err := to.Write(data)
	return err
}
