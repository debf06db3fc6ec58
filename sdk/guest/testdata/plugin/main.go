// Command plugin is a runtime whose Start does what the spec's image says, for
// the tests of package guest.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/guest"
	_ "github.com/lightshuttle/lightshuttle/sdk/guest/can/events"
	_ "github.com/lightshuttle/lightshuttle/sdk/guest/can/exec"
	_ "github.com/lightshuttle/lightshuttle/sdk/guest/can/inspect"
	_ "github.com/lightshuttle/lightshuttle/sdk/guest/can/logs"
	_ "github.com/lightshuttle/lightshuttle/sdk/guest/can/network"
	_ "github.com/lightshuttle/lightshuttle/sdk/guest/can/prepare"
)

type config struct {
	Greeting string `json:"greeting"`
}

func init() {
	guest.ServeConfigured(func(project string, c config) (sdk.Runtime, error) {
		return scripted{project: project, config: c}, nil
	})
}

func main() {}

type scripted struct {
	project string
	config  config
	host    guest.Host
	store   guest.Store
}

func (s scripted) Start(ctx context.Context, spec sdk.Spec) (string, error) {
	action, argument, _ := strings.Cut(spec.Image, ":")
	switch action {
	case "greet":
		return s.config.Greeting + " " + s.project, nil
	case "store":
		return spec.Name, s.store.Set(spec.Name, []byte(argument))
	case "fail":
		return "", &sdk.Error{
			Code: sdk.Code(argument), Op: "start", Resource: spec.Resource, Err: errors.New("as asked"),
			Hint: "ask otherwise", ExitCode: 3, Output: "last words",
		}
	case "run":
		result, err := s.host.Run(ctx, sdk.Command{Program: "sh", Args: []string{"-c", argument}, Stdin: []byte("in\x00put"), Env: [][2]string{{"WHO", "guest"}}})
		return fmt.Sprintf("%d out=%d err=%d %.40q %.40q %t", result.ExitCode, len(result.Stdout), len(result.Stderr), result.Stdout, result.Stderr, result.Truncated), err
	case "two":
		return s.two(ctx)
	case "sleep":
		return s.sleep(ctx)
	case "slow":
		_, err := s.host.Run(ctx, sdk.Command{Program: "sh", Args: []string{"-c", "exec sleep 60"}})
		return "", err
	case "outlive":
		return s.outlive(ctx)
	case "works":
		result, err := s.host.Run(ctx, sdk.Command{Program: "sh", Args: []string{"-c", "printf %s $WORKS"}, Works: true})
		return string(result.Stdout), err
	case "patience":
		return s.patience(ctx)
	case "timers":
		return s.timers(ctx)
	case "http":
		return s.get(ctx, argument)
	case "panic":
		panic("as asked")
	}
	return "", sdk.Errorf(sdk.CodeInvalid, "start", "no action %q", action)
}

// two runs two programs at the same time that wait for one another.
func (s scripted) two(ctx context.Context) (string, error) {
	results := make(chan string, 2)
	for _, script := range []string{"mkfifo $DIR/f; cat $DIR/f", "until [ -p $DIR/f ]; do sleep 0.01; done; echo hello >$DIR/f"} {
		go func() {
			result, err := s.host.Run(ctx, sdk.Command{Program: "sh", Args: []string{"-c", script}})
			results <- fmt.Sprintf("%s%v", result.Stdout, err)
		}()
	}
	first, second := <-results, <-results
	return first + second, nil
}

// sleep waits until it is cancelled, and cleans up.
func (s scripted) sleep(ctx context.Context) (string, error) {
	err := s.host.Sleep(ctx, time.Hour)
	result, cleanup := s.host.Run(context.WithoutCancel(ctx), sdk.Command{Program: "sh", Args: []string{"-c", "echo cleaned"}})
	if cleanup != nil {
		return "", cleanup
	}
	return "", fmt.Errorf("%s: %w", bytes.TrimSpace(result.Stdout), err)
}

// outlive lets a program end that must not be cut off.
func (s scripted) outlive(ctx context.Context) (string, error) {
	result, err := s.host.Run(context.WithoutCancel(ctx), sdk.Command{Program: "sh", Args: []string{"-c", "sleep 0.5; echo finished"}})
	if err != nil {
		return "", err
	}
	return "", fmt.Errorf("%s: %w", bytes.TrimSpace(result.Stdout), ctx.Err())
}

// timers lets a context of its own end while a program runs.
func (s scripted) timers(ctx context.Context) (string, error) {
	own, cancel := context.WithTimeout(ctx, 30*time.Millisecond)
	defer cancel()
	_, err := s.host.Run(own, sdk.Command{Program: "sh", Args: []string{"-c", "exec sleep 60"}})
	return fmt.Sprint(err, " ", ctx.Err()), nil
}

// patience ends a program's context when it is ready, and hears its last words.
func (s scripted) patience(ctx context.Context) (string, error) {
	own, cancel := context.WithCancel(ctx)
	defer cancel()
	process, err := s.host.Spawn(own, sdk.Command{Program: "sh", Args: []string{"-c", "trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.01; done"}})
	if err != nil {
		return "", err
	}
	defer process.Close()
	if _, err := io.ReadFull(process.Stdout(), make([]byte, len("ready\n"))); err != nil {
		return "", err
	}
	cancel()
	rest, err := io.ReadAll(process.Stdout())
	if err != nil {
		return "", err
	}
	code, err := process.Wait()
	return fmt.Sprintf("%q %d", rest, code), err
}

func (s scripted) get(ctx context.Context, path string) (string, error) {
	response, err := s.host.Do(ctx, sdk.Request{Endpoint: "engine", Method: "POST", Path: path, Query: [][2]string{{"q", "ä b"}}, Body: strings.NewReader("body")})
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return fmt.Sprintf("%d %s", response.Status, body), err
}

func (s scripted) Stop(context.Context, string, time.Duration) error { return nil }

func (s scripted) WaitHealthy(_ context.Context, id string, check *sdk.Healthcheck) (sdk.State, error) {
	return sdk.State{ID: id, Healthcheck: check, Status: sdk.StatusRunning}, nil
}

func (s scripted) Inspect(_ context.Context, id string) (sdk.State, error) {
	value, err := s.store.Get(id)
	return sdk.State{ID: id, Image: string(value)}, err
}

func (s scripted) Logs(ctx context.Context, id string, options sdk.LogOptions, sink func(sdk.LogEntry) error) error {
	if id == "forward" {
		process, err := s.host.Spawn(ctx, sdk.Command{Program: "sh", Args: []string{"-c", "printf 'a\\000b'"}})
		if err != nil {
			return err
		}
		defer process.Close()
		return guest.Forward(ctx, process.Stdout(), guest.StreamStdout)
	}
	for i := range options.Tail {
		entry := sdk.LogEntry{Stream: sdk.Stderr, Time: time.Unix(int64(i), 5), Data: []byte{byte(i), '\n'}}
		if err := sink(entry); err != nil {
			return err
		}
	}
	return nil
}

func (s scripted) Exec(_ context.Context, _ string, options sdk.ExecOptions) (int, error) {
	fmt.Fprintf(options.Stdout, "%v", options.Command)
	fmt.Fprintf(options.Stderr, "%s", options.User)
	return 7, nil
}

func (s scripted) Prepared(context.Context, sdk.Spec) (bool, error) { return true, nil }

func (s scripted) Prepare(_ context.Context, spec sdk.Spec, report func(sdk.Progress)) error {
	report(sdk.Progress{Action: "pull", Status: spec.Image, Current: 1, Total: 2})
	return nil
}

// Watch tells of one event and of the loss of the engine.
func (s scripted) Watch(_ context.Context, project string, since time.Time) (<-chan sdk.Event, error) {
	events := make(chan sdk.Event, 2)
	events <- sdk.Event{Type: sdk.EventStarted, Name: project, Time: since}
	events <- sdk.Event{Type: sdk.EventLost, Err: sdk.Errorf(sdk.CodeUnavailable, "events", "gone")}
	close(events)
	return events, nil
}
