package wasm

import (
	"cmp"
	"slices"

	"github.com/lightshuttle/lightshuttle/sdk"
	"github.com/lightshuttle/lightshuttle/sdk/abi"
)

// What a plugin tells is shown to people, by many ways. So it is made fit for
// that here, where it comes in. Labels and environments are not: they are
// compared with what was asked for, and who shows them cleans them.
//
// Names and ids may hold what is somebody's password, such as that of the
// project, and are not hidden.

var statuses = []sdk.Status{
	sdk.StatusCreated, sdk.StatusRunning, sdk.StatusPaused, sdk.StatusRestarting, sdk.StatusRemoving, sdk.StatusExited, sdk.StatusDead,
}

const longestID = 1024

// usable says whether an id can be shown and noted.
func usable(id string) bool { return id != "" && len(id) <= longestID && OneLine(id) == id }

// oneLine makes each of the texts fit to be shown in one line.
func oneLine(texts ...*string) {
	for _, text := range texts {
		*text = OneLine(*text)
	}
}

// checkState refuses a state that nobody could act on, and makes its texts fit
// to be shown.
func (b *base) checkState(op abi.Operation, state *sdk.State) error {
	if !usable(state.ID) || !slices.Contains(statuses, state.Status) {
		return b.protocol(op, "it returned a state with the id %q and the status %q, which can't be used", clip(state.ID), clip(string(state.Status)))
	}
	oneLine(&state.Name, &state.Project, &state.Resource, &state.Runtime, &state.Image, &state.ImageID)
	state.Health = sdk.Health(cmp.Or(OneLine(string(state.Health)), string(sdk.HealthNone)))
	state.HealthOutput, state.Error = b.clean(state.HealthOutput), b.clean(state.Error)
	for i := range state.Addresses {
		oneLine(&state.Addresses[i])
	}
	checkPorts(state.Ports)
	return nil
}

func checkPorts(ports []sdk.PortBinding) {
	for i := range ports {
		oneLine(&ports[i].HostIP)
		ports[i].Protocol = sdk.Protocol(OneLine(string(ports[i].Protocol)))
	}
}

// shownEvent is the event that an emission carries, if it carries one.
func (b *base) shownEvent(emission abi.Emission) (sdk.Event, bool) {
	if emission.Type != abi.EmitEvent {
		return sdk.Event{}, false
	}
	if emission.Error != nil {
		e := *emission.Error
		e.Message, e.Hint, e.Output = b.clean(e.Message), b.clean(e.Hint), b.clean(e.Output)
		oneLine(&e.Op, &e.Resource)
		emission.Error = &e
	}
	event, err := emission.SDKEvent()
	if err != nil {
		return sdk.Event{}, false
	}
	oneLine(&event.ID, &event.Name, &event.Resource)
	event.Type = sdk.EventType(OneLine(string(event.Type)))
	return event, true
}

// shownProgress is the progress that an emission reports, if it reports any.
func (b *base) shownProgress(emission abi.Emission) (sdk.Progress, bool) {
	if emission.Type != abi.EmitProgress || emission.Progress == nil {
		return sdk.Progress{}, false
	}
	progress := *emission.Progress
	oneLine(&progress.Action)
	progress.Status = b.clean(progress.Status)
	return progress, true
}
