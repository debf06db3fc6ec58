package main

import (
	"os"
	"time"
)

// process measures what doesn't need the engine: starting, and reading a large
// manifest.
func process(o options, r *report) error {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	manifest, compose, err := large(200).write(dir)
	if err != nil {
		return err
	}
	pairs := []struct {
		name      string
		us, them  []string
		most      float64
		whatRatio string
	}{
		{"version", []string{"version"}, []string{"version"}, 0.6, "version ÷ compose version"},
		{"200 resources", []string{"validate", "-f", manifest}, []string{"-f", compose, "config", "-q"}, 0.4, "validate ÷ compose config"},
	}
	const often = 5 // these are short, and noisier for it
	for _, pair := range pairs {
		var us, them series
		for round := range o.rounds*often + 1 {
			ours, _, err := timed(o.program, pair.us...)
			if err != nil {
				return err
			}
			theirs, _, err := timed(o.compose, pair.them...)
			if err != nil {
				return err
			}
			if round > 0 {
				us, them = append(us, milliseconds(ours)), append(them, milliseconds(theirs))
			}
		}
		r.figure(pair.name, "lightshuttle", "ms", us)
		r.figure(pair.name, "compose", "ms", them)
		r.target(pair.whatRatio, us.ratio(them), pair.most)
	}
	info, err := os.Stat(o.program)
	if err != nil {
		return err
	}
	r.target("binary, MB", float64(info.Size())/1e6, 40)
	return nil
}

// ps measures looking at 20 containers that run.
func ps(o options, r *report) error {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s := flat(20)
	for i := range s.Services {
		s.Services[i].Check.Interval = time.Hour
	}
	manifest, compose, err := s.write(dir)
	if err != nil {
		return err
	}
	up, err := begin(o.program, "up", "--json", "-f", manifest)
	if err != nil {
		return err
	}
	defer up.end()
	if _, _, err := timed(o.compose, "-f", compose, "up", "-d"); err != nil {
		return err
	}
	defer func() { _, _, _ = timed(o.compose, "-f", compose, "down", "-v") }()
	var us, them series
	for round := range o.rounds*2 + 1 {
		ours, _, err := timed(o.program, "ps", "-f", manifest)
		if err != nil {
			return err
		}
		theirs, _, err := timed(o.compose, "-f", compose, "ps")
		if err != nil {
			return err
		}
		if round > 0 {
			us, them = append(us, milliseconds(ours)), append(them, milliseconds(theirs))
		}
	}
	r.figure("ps of 20", "lightshuttle", "ms", us)
	r.figure("ps of 20", "compose", "ms", them)
	r.target("ps ÷ compose ps", us.ratio(them), 0.8)
	return nil
}
