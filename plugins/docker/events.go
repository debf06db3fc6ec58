package docker

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/docker/docker/api/types/events"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Watch implements sdk.Watcher.
func (r *Runtime) Watch(ctx context.Context, project string, since time.Time) (<-chan sdk.Event, error) {
	s, leave, err := r.events.subscribe(ctx, since)
	if err != nil {
		return nil, r.typed(ctx, "watch", "", err)
	}
	out := make(chan sdk.Event)
	err = r.events.work(func() {
		defer leave()
		defer close(out)
		r.deliver(ctx, s, project, out)
	})
	if err != nil {
		leave()
		return nil, err
	}
	return out, nil
}

func (r *Runtime) deliver(ctx context.Context, s *subscription, project string, out chan<- sdk.Event) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.events.base.Done():
			return
		case <-s.filled:
		}
		for _, event := range s.take() {
			if event.project != project && event.Type != sdk.EventLost {
				continue
			}
			select {
			case out <- event.Event:
			case <-ctx.Done():
				return
			case <-r.events.base.Done():
				return
			}
			if event.Type == sdk.EventLost {
				return
			}
		}
	}
}

// translate understands docker's names of events and podman's.
// What isn't LightShuttle's is left out.
func translate(message events.Message) (containerEvent, bool) {
	attributes := message.Actor.Attributes
	if attributes[sdk.LabelProject] == "" {
		return containerEvent{}, false
	}
	event := containerEvent{project: attributes[sdk.LabelProject], Event: sdk.Event{
		ID: message.Actor.ID, Name: attributes["name"], Resource: attributes[sdk.LabelResource], Time: eventTime(message),
	}}
	action, detail, _ := strings.Cut(string(message.Action), ":")
	switch action {
	case "start":
		event.Type = sdk.EventStarted
	case "die", "died":
		event.Type = sdk.EventExited
		event.ExitCode = exitCode(attributes)
	case "oom":
		event.Type = sdk.EventOOM
	case "pause":
		event.Type = sdk.EventPaused
	case "unpause":
		event.Type = sdk.EventUnpaused
	case "destroy", "remove":
		event.Type = sdk.EventRemoved
	case "health_status":
		return healthEvent(event, detail, attributes)
	default:
		return containerEvent{}, false
	}
	return event, true
}

func eventTime(message events.Message) time.Time {
	if message.TimeNano != 0 {
		return time.Unix(0, message.TimeNano)
	}
	return time.Unix(message.Time, 0)
}

// healthEvent reads the health from the action (docker) or an attribute
// (podman).
func healthEvent(event containerEvent, detail string, attributes map[string]string) (containerEvent, bool) {
	if detail == "" {
		detail = attributes["health_status"]
	}
	switch strings.TrimSpace(detail) {
	case "healthy":
		event.Type = sdk.EventHealthy
	case "unhealthy":
		event.Type = sdk.EventUnhealthy
	default:
		return containerEvent{}, false
	}
	return event, true
}

func exitCode(attributes map[string]string) int {
	text := attributes["exitCode"]
	if text == "" {
		text = attributes["containerExitCode"]
	}
	code, err := strconv.Atoi(text)
	if err != nil {
		return -1
	}
	return code
}
