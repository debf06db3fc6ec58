package main

import (
	"testing"
	"time"

	"github.com/lightshuttle/lightshuttle/host/lifecycle"
)

func TestEventText(t *testing.T) {
	zero, killed := 0, 137
	now := time.Now()
	again := now.Add(100 * time.Millisecond)
	for want, event := range map[string]lifecycle.Event{
		"stack started":        {Type: lifecycle.StackStarted},
		"stack failed: db: no": {Type: lifecycle.StackFailed, Error: "db: no"},
		"db: healthy":          {Type: lifecycle.ResourceHealthy, Resource: "db", Ready: true},
		"db: ready":            {Type: lifecycle.ResourceReady, Resource: "db", Ready: true},
		"db: exited with code 137; restarts in 100ms": {
			Type: lifecycle.ResourceExited, Resource: "db", Time: now, ExitCode: &killed, Error: "exited with code 137", NextStart: &again,
		},
		"job: exited with code 0":               {Type: lifecycle.ResourceExited, Resource: "job", ExitCode: &zero},
		"app: its dependency db was restarted":  {Type: lifecycle.DependencyRestarted, Resource: "app", Dependency: "db"},
		"7 events were missed":                  {Type: lifecycle.EventsMissed, Missed: 7},
		"app: failed: port 80 is in use by web": {Type: lifecycle.ResourceFailed, Resource: "app", Error: "port 80 is in use by web"},
	} {
		t.Run(want, func(t *testing.T) {
			if got := eventText(event); got != want {
				t.Errorf("eventText = %q, want %q", got, want)
			}
		})
	}
}
