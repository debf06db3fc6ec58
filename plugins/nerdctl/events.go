package nerdctl

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/directory"
)

// line is an event as containerd (by nerdctl), podman or docker tell it.
type line struct {
	// containerd's
	Timestamp time.Time
	Topic     string
	Namespace string
	Event     string
	// podman's, and docker's older fields
	ID                string
	Name              string
	Status            string
	Time              json.RawMessage
	Attributes        map[string]string
	ContainerExitCode int
	// docker's
	Action   string
	TimeNano int64
	Actor    struct {
		ID         string
		Attributes map[string]string
	}
}

// topics are containerd's names of what happens.
var topics = map[string]sdk.EventType{
	"/tasks/start":       sdk.EventStarted,
	"/tasks/exit":        sdk.EventExited,
	"/tasks/oom":         sdk.EventOOM,
	"/tasks/paused":      sdk.EventPaused,
	"/tasks/resumed":     sdk.EventUnpaused,
	"/containers/delete": sdk.EventRemoved,
	"/containers/update": "",
}

// actions are docker's names and podman's.
var actions = map[string]sdk.EventType{
	"start": sdk.EventStarted, "die": sdk.EventExited, "died": sdk.EventExited, "oom": sdk.EventOOM,
	"pause": sdk.EventPaused, "unpause": sdk.EventUnpaused, "destroy": sdk.EventRemoved, "remove": sdk.EventRemoved,
	"health_status: healthy": sdk.EventHealthy, "health_status: unhealthy": sdk.EventUnhealthy,
}

// containerdEvent is what containerd tells; zero values are left out.
type containerdEvent struct {
	Name        string            `json:"name"`
	ContainerID string            `json:"container_id"`
	ID          string            `json:"id"`
	ExitStatus  int               `json:"exit_status"`
	Labels      map[string]string `json:"labels"`
}

func (l line) marks(marker string) bool {
	return strings.HasPrefix(l.Topic, "/namespaces/") && strings.Contains(l.Event, marker) && l.Topic == "/namespaces/create"
}

// translate gives an event the contract's form; ok says whether it is of
// interest.
func (l line) translate(namespace string) (directory.Heard, bool) {
	if l.Topic != "" {
		return l.fromContainerd(namespace)
	}
	action, attributes, id, code := l.Status, l.Attributes, l.ID, l.ContainerExitCode
	if l.Action != "" {
		action, attributes, id = l.Action, l.Actor.Attributes, l.Actor.ID
		code, _ = strconv.Atoi(attributes["exitCode"])
	}
	kind, ok := actions[action]
	if !ok || id == "" {
		return directory.Heard{}, false
	}
	name := l.Name
	if name == "" {
		name = attributes["name"]
	}
	whose := directory.Labelled(name, attributes)
	event := sdk.Event{Type: kind, ID: id, Time: l.when()}
	if kind == sdk.EventExited {
		event.ExitCode = code
	}
	return directory.Heard{Event: event, Whose: &whose}, true
}

func (l line) when() time.Time {
	var at time.Time
	if l.TimeNano != 0 {
		return time.Unix(0, l.TimeNano)
	}
	if json.Unmarshal(l.Time, &at) == nil {
		return at
	}
	return time.Now()
}

func (l line) fromContainerd(namespace string) (directory.Heard, bool) {
	kind, ok := topics[l.Topic]
	if !ok || namespace != "" && l.Namespace != namespace {
		return directory.Heard{}, false
	}
	var e containerdEvent
	if err := json.NewDecoder(bytes.NewBufferString(l.Event)).Decode(&e); err != nil {
		return directory.Heard{}, false
	}
	id := e.ContainerID
	if id == "" {
		id = e.ID
	}
	if id == "" || kind == sdk.EventExited && e.ID != e.ContainerID {
		return directory.Heard{}, false // what ended was a command inside
	}
	result := directory.Heard{Event: sdk.Event{Type: kind, ID: id, Time: l.Timestamp}}
	if kind == sdk.EventExited {
		result.Event.ExitCode = e.ExitStatus
	}
	if e.Labels != nil {
		whose := directory.Labelled(e.Labels["nerdctl/name"], e.Labels)
		result.Whose = &whose
	}
	return result, true
}
