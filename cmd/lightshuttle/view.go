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

type viewOptions struct {
	json bool
	// detached says that the stack runs on when the program ends.
	detached bool
}

func (a *app) newView(options viewOptions) view {
	switch {
	case options.json:
		return jsonLines{a}
	case a.terminal:
		return newTable(a, options.detached)
	}
	return &lines{app: a, detached: options.detached}
}

// onceStarted says what comes after the start.
func onceStarted(detached bool) string {
	if detached {
		return "it runs on until `lightshuttle down`"
	}
	return "Ctrl-C stops it"
}

// lines writes a line for each event.
type lines struct {
	app      *app
	detached bool
	began    time.Time
	mu       sync.Mutex
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
	text := event.Resource + ": " + resourceText(event)
	if event.Ready {
		text += portsText(manager, event.Resource)
	}
	return fmt.Sprintf("%s (%s)", text, after)
}

// resourceText is what happened to a resource, in words.
func resourceText(event lifecycle.Event) string {
	if event.Type == lifecycle.DependencyRestarted {
		return fmt.Sprintf("its dependency %s was restarted", event.Dependency)
	}
	text := strings.TrimPrefix(string(event.Type), "resource_")
	if event.ExitCode != nil && event.Error == "" {
		return fmt.Sprintf("%s with code %d", text, *event.ExitCode)
	}
	if event.Error != "" {
		// "exited: exited with code 1" says it twice.
		why := strings.TrimPrefix(event.Error, text+": ")
		text = strings.TrimPrefix(text+": "+plaintext.Line(why), "exited: ")
	}
	if event.NextStart != nil {
		text += fmt.Sprintf("; restarts in %s", event.NextStart.Sub(event.Time).Round(10*time.Millisecond))
	}
	return text
}

func (v *lines) stackText(event lifecycle.Event, after time.Duration) string {
	switch event.Type {
	case lifecycle.StackStarting:
		return "starting"
	case lifecycle.StackStarted:
		return fmt.Sprintf("started in %s; %s", after, onceStarted(v.detached))
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
	case lifecycle.EngineLost:
		return "the engine can't be heard any more; trying to reach it again"
	case lifecycle.EngineFound:
		return "the engine is back"
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
