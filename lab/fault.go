package main

import (
	"time"
)

// faultKind is a way in which a call to the engine can go wrong.
type faultKind string

// The kinds of faults. After the engine has answered, it has done what it was
// asked to; before, it hasn't heard of it.
const (
	faultDelay      faultKind = "delay"
	faultReorder    faultKind = "reorder"
	faultCutBefore  faultKind = "cut before"
	faultCutAfter   faultKind = "cut after"
	faultCutBody    faultKind = "cut in the answer"
	faultHang       faultKind = "hang"
	faultHangAfter  faultKind = "hang after"
	faultFail       faultKind = "500"
	faultFailAfter  faultKind = "500 after"
	faultKillBefore faultKind = "kill -9 before"
	faultKillAfter  faultKind = "kill -9 after"
	// What happens at these is up to who arms them; the call itself goes on.
	faultEngineBefore faultKind = "engine killed before"
	faultEngineAfter  faultKind = "engine killed after"
)

// callFaults are those that are tried at each call.
var callFaults = []faultKind{
	faultDelay, faultReorder, faultCutBefore, faultCutAfter, faultCutBody,
	faultHang, faultHangAfter, faultFail, faultFailAfter,
}

var killFaults = []faultKind{faultKillBefore, faultKillAfter}

var engineFaults = []faultKind{faultEngineBefore, faultEngineAfter}

const (
	// delay is longer than any call takes by itself.
	delay = time.Second
	// holdMost is how long a call is held for another one to pass.
	holdMost = 2 * time.Second
	// drainMost bounds the wait for the end of an answer that nobody will get;
	// some have none.
	drainMost = time.Second
)

// harmless are the faults after which all must go on as if nothing had been.
func (k faultKind) harmless() bool { return k == faultDelay || k == faultReorder }

// after says whether the engine gets the call and answers it.
func (k faultKind) after() bool {
	switch k {
	case faultCutAfter, faultCutBody, faultHangAfter, faultFailAfter, faultKillAfter, faultEngineAfter:
		return true
	}
	return false
}

// fault is what goes wrong, and where.
type fault struct {
	Kind faultKind
	Site site
	// act is done at the faults that act.
	act func()
}
