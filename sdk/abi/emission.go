package abi

import (
	"errors"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// EventsArgs are the arguments of Events, which runs until it is cancelled.
type EventsArgs struct {
	Project string    `json:"project"`
	Since   time.Time `json:"since,omitzero"`
}

// EmissionType says what an Emission holds.
type EmissionType string

// The types of emissions; others are ignored.
const (
	// EmitProgress reports on Prepare.
	EmitProgress EmissionType = "progress"
	// EmitSubscribed says that Events listens: from now on nothing is missed.
	EmitSubscribed EmissionType = "subscribed"
	// EmitEvent is something that Events has seen.
	EmitEvent EmissionType = "event"
)

// Emission is the document of emit: what an operation says while it runs.
type Emission struct {
	Type     EmissionType  `json:"type"`
	Progress *sdk.Progress `json:"progress,omitempty"`
	Event    *sdk.Event    `json:"event,omitempty"`
	// Error and Status are the event's Err.
	Error  *Error `json:"error,omitempty"`
	Status Status `json:"status,omitempty"`
}

// FromEvent returns the emission that carries event.
func FromEvent(event sdk.Event) Emission {
	e := Emission{Type: EmitEvent, Event: &event}
	if event.Err != nil {
		status, document := FromError(event.Err)
		e.Status, e.Error = status, &document
	}
	return e
}

// SDKEvent returns the event, with its error. An emission that carries none is
// an error.
func (e Emission) SDKEvent() (sdk.Event, error) {
	if e.Event == nil {
		return sdk.Event{}, errors.New("an emission of type event has no event")
	}
	event := *e.Event
	if e.Error != nil {
		event.Err = e.Error.Err(e.Status, nil)
	}
	return event, nil
}
