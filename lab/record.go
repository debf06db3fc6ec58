package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// recording is what there is to break.
type recording struct {
	up, down []site
	// events counts the events of an up and its end.
	events int
}

// record runs up and down without a fault.
func (l *laboratory) record(ctx context.Context, b *bench) (recording, error) {
	var seen recording
	p, err := newPlace(l.root, l.binary, l.project(), b.engine)
	if err != nil {
		return seen, err
	}
	p.proxy.arm(nil)
	err = func() error {
		r, err := p.up()
		if err != nil {
			return err
		}
		if code, err := p.stop(r); err != nil || code != 0 {
			return fmt.Errorf("up ended with code %d, %w", code, err)
		}
		seen.events = len(r.seen())
		seen.up = sites(p.proxy.seen())
		if r, err = p.up(); err != nil {
			return err
		}
		r.kill()
		p.proxy.arm(nil)
		if problems := p.down(ctx); len(problems) > 0 {
			return errors.New(strings.Join(problems, "; "))
		}
		seen.down = sites(p.proxy.seen())
		return nil
	}()
	if err != nil {
		err = fmt.Errorf("nothing works without a fault either: %w\n%s", err, strings.Join(p.notes, "\n"))
	}
	return seen, errors.Join(err, p.close(ctx))
}

// sites are the places of the calls, without the repetitions of a check: how
// many there are of those is chance.
func sites(calls []call) []site {
	const repetitions = 2
	var found []site
	for _, c := range calls {
		if isCheck(c.Site) && c.Site.N > repetitions {
			continue
		}
		found = append(found, c.Site)
	}
	return found
}

func isCheck(s site) bool {
	return strings.HasPrefix(s.Path, "/exec/") || strings.HasSuffix(s.Path, "/exec")
}

// combinations are all that can be tried.
func (seen recording) combinations() []combination {
	var all []combination
	at := func(where scenario, places []site, kinds ...faultKind) {
		for _, place := range places {
			for _, kind := range kinds {
				all = append(all, combination{Scenario: where, Kind: kind, Site: place})
			}
		}
	}
	at(scenarioUp, seen.up, callFaults...)
	at(scenarioUp, seen.up, killFaults...)
	at(scenarioDown, seen.down, callFaults...)
	at(scenarioDown, seen.down, killFaults...)
	at(scenarioUp, everyNth(seen.up, 4), engineFaults...)
	at(scenarioDown, everyNth(seen.down, 4), engineFaults...)
	for n := range seen.events {
		all = append(all,
			combination{Scenario: scenarioUp, Kind: faultKillAtEvent, Event: n + 1},
			combination{Scenario: scenarioUp, Kind: faultEngineAtEvent, Event: n + 1})
	}
	all = append(all,
		combination{Scenario: scenarioRunning, Kind: faultEngineRuns},
		combination{Scenario: scenarioRunning, Kind: faultEngineLives},
	)
	for _, resource := range []string{"db", "web", "side"} {
		for _, kind := range []faultKind{faultStreams, faultStreamsDeath, faultStreamsRemove, faultContainer, faultRemoved} {
			all = append(all, combination{Scenario: scenarioRunning, Kind: kind, Resource: resource})
		}
	}
	return all
}

func everyNth(places []site, n int) []site {
	var some []site
	for i := 0; i < len(places); i += n {
		some = append(some, places[i])
	}
	return some
}
