package main

import (
	"fmt"
)

// scenario is what the program is at when something breaks.
type scenario string

const (
	// scenarioUp is an up until it is ready, and then its end by Ctrl-C.
	scenarioUp scenario = "up"
	// scenarioDown is a down of a stack whose up was killed.
	scenarioDown scenario = "down"
	// scenarioRunning is a stack that is up and watched over.
	scenarioRunning scenario = "running"
)

// The kinds of faults that are not at a call.
const (
	faultKillAtEvent   faultKind = "kill -9 at an event"
	faultEngineAtEvent faultKind = "engine killed at an event"
	faultEngineRuns    faultKind = "engine killed"
	faultEngineLives   faultKind = "engine killed, containers live on"
	faultStreams       faultKind = "event stream cut"
	faultStreamsDeath  faultKind = "event stream cut, a container killed meanwhile"
	faultStreamsRemove faultKind = "event stream cut, a container removed meanwhile"
	faultContainer     faultKind = "container killed"
	faultRemoved       faultKind = "container removed"
)

// combination is one thing that is tried.
type combination struct {
	Scenario scenario
	Kind     faultKind
	// Site is set for faults at a call, Event for those at an event.
	Site  site
	Event int
	// Resource is whose container is meant, in a stack that runs.
	Resource string
}

// String names it for people, and for -only.
func (c combination) String() string {
	text := string(c.Scenario) + " | " + string(c.Kind)
	switch {
	case c.Event > 0:
		text += fmt.Sprintf(" | event %d", c.Event)
	case c.Site.Method != "":
		text += " | " + c.Site.String()
	case c.Resource != "":
		text += " | " + c.Resource
	}
	return text
}

// killsEngine says whether it needs an engine for itself.
func (c combination) killsEngine() bool {
	switch c.Kind {
	case faultEngineBefore, faultEngineAfter, faultEngineAtEvent, faultEngineRuns, faultEngineLives:
		return true
	}
	return false
}

// outcome is what came of a combination.
type outcome struct {
	combination
	// Reached is false when the call or event never came.
	Reached bool
	// Reported says that something was left and the program said so; the next
	// run removed it.
	Reported bool
	// Leaked says that something was left without a word, or for good.
	Leaked   bool
	Problems []string
	Notes    []string
}

func (o outcome) survived() bool { return len(o.Problems) == 0 }
