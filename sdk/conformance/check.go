package conformance

import (
	"slices"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// check proves one promise of the contract.
type check struct {
	name  string
	level Level
	// promise is what the contract says, in a sentence.
	promise string
	needs   []ability
	// alone keeps other checks from running at the same time.
	alone bool
	run   func(*stage)
}

// ability is something that a runtime, or the target, may offer.
type ability struct {
	name    string
	offered func(Target) bool
}

func offers[I any](name string) ability {
	return ability{name, func(t Target) bool {
		_, ok := t.Runtime.(I)
		return ok
	}}
}

// The abilities of runtimes.
var (
	pinger     = offers[sdk.Pinger]("Pinger")
	validator  = offers[sdk.Validator]("Validator")
	preparer   = offers[sdk.Preparer]("Preparer")
	inspector  = offers[sdk.Inspector]("Inspector")
	lister     = offers[sdk.Lister]("Lister")
	remover    = offers[sdk.Remover]("Remover")
	logger     = offers[sdk.Logger]("Logger")
	execer     = offers[sdk.Execer]("Execer")
	networker  = offers[sdk.Networker]("Networker")
	volumer    = offers[sdk.Volumer]("Volumer")
	restarter  = offers[sdk.Restarter]("Restarter")
	envReader  = offers[sdk.EnvReader]("EnvReader")
	portFinder = offers[sdk.PortFinder]("PortFinder")
	watching   = offers[sdk.Watcher]("Watcher")
)

// What a target may offer.
var (
	program     = ability{"the target's Program", func(t Target) bool { return len(t.Program) > 0 }}
	checked     = ability{"images with healthchecks", func(t Target) bool { return t.Checked != nil }}
	images      = ability{"images", func(t Target) bool { return t.AbsentImage != "" }}
	pulling     = ability{"the target's Pullable", func(t Target) bool { return t.Pullable != nil }}
	building    = ability{"images that can be built on", func(t Target) bool { return t.Buildable }}
	losing      = ability{"the target's Lose", func(t Target) bool { return t.Outside.Lose != nil }}
	pausing     = ability{"the target's Pause", func(t Target) bool { return t.Outside.Pause != nil && t.Outside.Unpause != nil }}
	volumeSight = ability{"the target's Volumes", func(t Target) bool { return t.Outside.Volumes != nil && t.Outside.VolumeExists != nil }}
	privateNets = ability{"networks of containers' own", func(t Target) bool { return !t.HostNetwork }}
)

// missing names the first ability that the target doesn't offer.
func (c check) missing(t Target) string {
	for _, need := range c.needs {
		if !need.offered(t) {
			return need.name
		}
	}
	return ""
}

// all returns every check, in the order of the report.
func all() []check {
	return slices.Concat(
		levelChecks(), pingChecks, startChecks, stopChecks, waitChecks, cancelChecks,
		inspectChecks, listChecks, removeChecks, logChecks, specChecks, networkChecks,
		execChecks, validateChecks, prepareChecks, portChecks, volumeChecks, watchChecks, restartChecks, envChecks,
	)
}

func known(name string) bool {
	return slices.ContainsFunc(all(), func(c check) bool { return c.name == name })
}

// levelChecks are one for each ability that a level promises.
func levelChecks() []check {
	var checks []check
	for _, wanted := range []struct {
		level     Level
		abilities []ability
	}{
		{Managed, []ability{inspector, lister, remover, logger, networker}},
		{Full, []ability{pinger, validator, preparer, execer, watching, volumer, portFinder}},
	} {
		for _, a := range wanted.abilities {
			checks = append(checks, check{
				name: "level/" + a.name, level: wanted.level,
				promise: "a runtime of level " + wanted.level.String() + " is a " + a.name,
				run: func(s *stage) {
					if !a.offered(s.Target) {
						s.fail("the runtime isn't a %s", a.name)
					}
				},
			})
		}
	}
	return checks
}
