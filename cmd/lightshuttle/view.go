package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/lightshuttle/lightshuttle/cmd/lightshuttle/plaintext"
	"github.com/lightshuttle/lightshuttle/host/lifecycle"
	"github.com/lightshuttle/lightshuttle/sdk"
)

// view shows how a stack comes up and goes down.
type view interface {
	// follow shows what happens until the manager is closed.
	follow(manager *lifecycle.Manager)
	// progress notes how an image's preparation goes.
	progress(resource string, progress sdk.Progress)
}

func (a *app) newView(asJSON bool) view {
	switch {
	case asJSON:
		return jsonLines{a}
	case a.terminal:
		return newTable(a)
	}
	return &lines{app: a}
}

// lines writes a line for each event.
type lines struct {
	app   *app
	began time.Time
	mu    sync.Mutex
	// failed says that what is stopped now is a start that failed.
	failed bool
	// last is what was shown last of each image's preparation.
	last map[string]string
}

func (v *lines) progress(resource string, progress sdk.Progress) {
	// Bytes are for a terminal; steps of a build are worth a line each.
	if progress.Action != "build" || progress.Status == "" {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.last == nil {
		v.last = map[string]string{}
	}
	if v.last[resource] != progress.Status {
		v.last[resource] = progress.Status
		fmt.Fprintf(v.app.stderr, "%s: build: %s\n", resource, plaintext.Line(progress.Status))
	}
}

func (v *lines) follow(manager *lifecycle.Manager) {
	for event := range manager.Events().Since(context.Background(), 0) {
		text := v.text(manager, event)
		v.mu.Lock()
		fmt.Fprintln(v.app.stderr, text)
		v.mu.Unlock()
	}
}

func (v *lines) text(manager *lifecycle.Manager, event lifecycle.Event) string {
	if event.Type == lifecycle.StackStarting {
		v.began = event.Time
	}
	v.failed = v.failed || event.Type == lifecycle.StackFailed
	after := event.Time.Sub(v.began).Round(time.Millisecond)
	if event.Resource == "" || event.Type == lifecycle.StackFailed {
		return v.stackText(event, after)
	}
	what := strings.TrimPrefix(string(event.Type), "resource_")
	text := event.Resource + ": " + what
	if event.Ready {
		text += portsText(manager, event.Resource)
	}
	if event.Error != "" {
		text += ": " + plaintext.Line(strings.TrimPrefix(event.Error, what+": "))
	}
	return fmt.Sprintf("%s (%s)", text, after)
}

func (v *lines) stackText(event lifecycle.Event, after time.Duration) string {
	switch event.Type {
	case lifecycle.StackStarting:
		return "starting"
	case lifecycle.StackStarted:
		return fmt.Sprintf("started in %s; Ctrl-C stops it", after)
	case lifecycle.StackFailed:
		if event.Resource != "" {
			return "the start failed because of " + event.Resource
		}
		return "the start failed: " + plaintext.Line(event.Error)
	case lifecycle.StackStopping:
		if v.failed {
			return "rolling back"
		}
		return "stopping"
	case lifecycle.StackStopped:
		if v.failed {
			return "rolled back"
		}
		return "stopped"
	}
	return string(event.Type)
}

// portsText shows where a resource can be reached on this machine.
func portsText(manager *lifecycle.Manager, name string) string {
	for _, r := range manager.Snapshot() {
		if r.Name == name && len(r.Ports) > 0 {
			return " on " + formatPorts(r.Ports)
		}
	}
	return ""
}

func formatPorts(ports []sdk.PortBinding) string {
	texts := make([]string, len(ports))
	for i, port := range ports {
		texts[i] = formatPort(port)
	}
	return strings.Join(texts, ", ")
}

func formatPort(port sdk.PortBinding) string {
	host := port.HostIP
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	text := fmt.Sprintf("%s:%d->%d", host, port.HostPort, port.ContainerPort)
	if port.Protocol == sdk.UDP {
		text += "/udp"
	}
	return text
}
