package nerdctl

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
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
func (l line) translate(namespace string) (heard, bool) {
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
		return heard{}, false
	}
	name := l.Name
	if name == "" {
		name = attributes["name"]
	}
	whose := identityOf(name, attributes)
	event := sdk.Event{Type: kind, ID: id, Time: l.when()}
	if kind == sdk.EventExited {
		event.ExitCode = code
	}
	return heard{event, &whose}, true
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

func (l line) fromContainerd(namespace string) (heard, bool) {
	kind, ok := topics[l.Topic]
	if !ok || namespace != "" && l.Namespace != namespace {
		return heard{}, false
	}
	var e containerdEvent
	if err := json.NewDecoder(bytes.NewBufferString(l.Event)).Decode(&e); err != nil {
		return heard{}, false
	}
	id := e.ContainerID
	if id == "" {
		id = e.ID
	}
	if id == "" || kind == sdk.EventExited && e.ID != e.ContainerID {
		return heard{}, false // what ended was a command inside
	}
	result := heard{event: sdk.Event{Type: kind, ID: id, Time: l.Timestamp}}
	if kind == sdk.EventExited {
		result.event.ExitCode = e.ExitStatus
	}
	if e.Labels != nil {
		whose := identityOf(e.Labels["nerdctl/name"], e.Labels)
		result.whose = &whose
	}
	return result, true
}
