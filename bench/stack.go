package main

import (
	"fmt"
	"time"
)

// stack is what all subjects run. The manifest, its compose twin and what the
// floor reads are all written from it, so that they can't differ.
type stack struct {
	Name string
	// Project is the floor's; the others have theirs in their files.
	Project  string
	Services []service
}

type service struct {
	Name    string
	Image   string
	Command []string
	Env     map[string]string
	Needs   []string
	Check   *check
	// Postgres makes the manifest use the kind; the others get what it means.
	Postgres bool
}

type check struct {
	Test     []string
	Interval time.Duration
	Timeout  time.Duration
	Start    time.Duration
	Retries  int
}

const (
	tiny     = "lightshuttle-test/tiny:1"
	postgres = "postgres:16-alpine"
)

// everySecond is the healthcheck of the scenarios with an interval of 1 s.
func everySecond() *check {
	return &check{Test: []string{"/tiny", "get"}, Interval: time.Second, Timeout: 3 * time.Second, Retries: 5}
}

func server(name string, needs ...string) service {
	return service{Name: name, Image: tiny, Command: []string{"serve"}, Check: everySecond(), Needs: needs}
}

// flat is size servers that need nothing.
func flat(size int) stack {
	s := stack{Name: fmt.Sprintf("flat%d", size)}
	for i := range size {
		s.Services = append(s.Services, server(fmt.Sprintf("s%02d", i)))
	}
	return s
}

// levels is a stack in which each server needs all of the level before.
func levels(depth, width int) stack {
	s := stack{Name: fmt.Sprintf("levels%dx%d", depth, width)}
	var before []string
	for level := range depth {
		var names []string
		for i := range width {
			name := fmt.Sprintf("l%d-%d", level, i)
			s.Services = append(s.Services, server(name, before...))
			names = append(names, name)
		}
		before = names
	}
	return s
}

func fiveByFour() stack { return levels(5, 4) }

// postgresAndApp is a database with v0's healthcheck, and what waits for it.
// Its volume is anonymous, and so fresh each time.
func postgresAndApp() stack {
	return stack{Name: "postgres", Services: []service{
		{
			Name: "db", Image: postgres, Postgres: true,
			Env: map[string]string{"POSTGRES_DB": "db", "POSTGRES_USER": "postgres", "POSTGRES_PASSWORD": "bench"},
			Check: &check{
				Test:     []string{"pg_isready", "-h", "127.0.0.1", "-U", "postgres", "-d", "db"},
				Interval: 5 * time.Second, Timeout: 3 * time.Second, Start: 5 * time.Second, Retries: 5,
			},
		},
		{Name: "app", Image: tiny, Command: []string{"serve"}, Needs: []string{"db"}},
	}}
}

// late is a server that can answer only after a while, and what waits for it.
func late(after time.Duration) stack {
	s := stack{Name: "gate", Services: []service{
		server("a"),
		{Name: "b", Image: tiny, Command: []string{"wait"}, Needs: []string{"a"}},
	}}
	s.Services[0].Env = map[string]string{"READY_AFTER": after.String()}
	return s
}

// quiet is size servers whose engine leaves them alone while they are looked
// at.
func quiet(size int) stack {
	s := flat(size)
	s.Name = "quiet"
	for i := range s.Services {
		s.Services[i].Check.Interval = time.Hour
	}
	return s
}

// settled is size servers that their engine checks as seldom as a real stack
// has it, and soon calls healthy.
func settled(size int) stack {
	s := flat(size)
	s.Name = "settled"
	for i := range s.Services {
		s.Services[i].Check.Interval = settledInterval
	}
	return s
}

const settledInterval = 10 * time.Second

// large is a stack that is only parsed: chains of ten. It isn't levels, because
// compose walks every path of those, of which there would be 4^50.
func large(size int) stack {
	s := flat(size)
	s.Name = "large"
	for i := range s.Services {
		if i%10 > 0 {
			s.Services[i].Needs = []string{s.Services[i-1].Name}
		}
	}
	return s
}
