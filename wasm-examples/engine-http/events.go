package main

import (
	"context"
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// message is an event of the engine.
type message struct {
	Action   string
	TimeNano int64 `json:"timeNano"`
	Actor    struct {
		ID         string
		Attributes map[string]string
	}
}

var eventTypes = map[string]sdk.EventType{
	"start": sdk.EventStarted, "die": sdk.EventExited, "died": sdk.EventExited, "oom": sdk.EventOOM,
	"pause": sdk.EventPaused, "unpause": sdk.EventUnpaused, "destroy": sdk.EventRemoved, "remove": sdk.EventRemoved,
	"health_status: healthy": sdk.EventHealthy, "health_status: unhealthy": sdk.EventUnhealthy,
}

// Watch implements sdk.Watcher. The engine answers a moment before it listens,
// so it is always asked for what happened since now.
func (e *engine) Watch(ctx context.Context, project string, since time.Time) (<-chan sdk.Event, error) {
	if since.IsZero() {
		since = time.Now()
	}
	by := ofProject(project)
	by["type"] = []string{"container"}
	body, err := e.ask(ctx, "events", "GET", "/events", [][2]string{{"since", stamp(since)}, filters(by)}, nil)
	if err != nil {
		return nil, err
	}
	out := make(chan sdk.Event)
	go func() {
		defer close(out)
		defer body.Close()
		err := e.follow(ctx, body, out)
		if ctx.Err() == nil {
			out <- sdk.Event{Type: sdk.EventLost, Time: time.Now(), Err: &sdk.Error{Code: sdk.CodeUnavailable, Op: "events", Err: err}}
		}
	}()
	return out, nil
}

func (e *engine) follow(ctx context.Context, body io.Reader, out chan<- sdk.Event) error {
	decoder := json.NewDecoder(body)
	for {
		var m message
		if err := decoder.Decode(&m); err != nil {
			return err
		}
		event, ok := m.event()
		if !ok {
			continue
		}
		select {
		case out <- event:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (m message) event() (sdk.Event, bool) {
	attributes := m.Actor.Attributes
	action := m.Action
	if action == "health_status" { // podman
		action += ": " + strings.TrimSpace(attributes["health_status"])
	}
	kind, known := eventTypes[action]
	event := sdk.Event{Type: kind, ID: m.Actor.ID, Name: attributes["name"], Resource: attributes[sdk.LabelResource], Time: time.Unix(0, m.TimeNano)}
	if kind == sdk.EventExited {
		event.ExitCode, _ = strconv.Atoi(attributes["exitCode"] + attributes["containerExitCode"])
	}
	return event, known
}
