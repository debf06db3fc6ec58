package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// stack is what all subjects run. The manifest and its compose twin are both
// written from it, so that they can't differ.
type stack struct {
	Name     string
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

// postgresAndApp is a database with v0's healthcheck, and what waits for it.
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

type object = map[string]any

func (s stack) manifest(project string) object {
	resources := yaml.Node{Kind: yaml.MappingNode}
	for _, one := range s.Services {
		kind, fields := "container", object{"image": one.Image}
		if one.Postgres {
			kind, fields = "postgres", object{"password": one.Env["POSTGRES_PASSWORD"], "volume": false}
		} else {
			fields["command"] = one.Command
			if len(one.Env) > 0 {
				fields["env"] = one.Env
			}
		}
		if one.Check != nil && !one.Postgres {
			fields["healthcheck"] = object{
				"test": append([]string{"CMD"}, one.Check.Test...), "interval": one.Check.Interval.String(), "timeout": one.Check.Timeout.String(),
				"start_period": one.Check.Start.String(), "retries": one.Check.Retries,
			}
		}
		if len(one.Needs) > 0 {
			fields["depends_on"] = one.Needs
		}
		var value yaml.Node
		must(value.Encode(object{kind: fields}))
		resources.Content = append(resources.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: one.Name}, &value)
	}
	return object{"project": object{"name": project}, "resources": &resources}
}

func (s stack) compose(project string) object {
	services := object{}
	for _, one := range s.Services {
		fields := object{"image": one.Image}
		if len(one.Command) > 0 {
			fields["command"] = one.Command
		}
		if len(one.Env) > 0 {
			fields["environment"] = one.Env
		}
		if one.Postgres {
			fields["ports"] = []string{"127.0.0.1::5432"}
		}
		if one.Check != nil {
			fields["healthcheck"] = object{
				"test": append([]string{"CMD"}, one.Check.Test...), "interval": one.Check.Interval.String(), "timeout": one.Check.Timeout.String(),
				"start_period": one.Check.Start.String(), "retries": one.Check.Retries,
			}
		}
		needs := object{}
		for _, need := range one.Needs {
			needs[need] = object{"condition": "service_healthy"}
		}
		if len(needs) > 0 {
			fields["depends_on"] = needs
		}
		services[one.Name] = fields
	}
	return object{"name": project, "services": services}
}

// write writes both files into dir.
func (s stack) write(dir string) (manifest, compose string, err error) {
	manifest, compose = filepath.Join(dir, "lightshuttle.yml"), filepath.Join(dir, "compose.yml")
	for path, content := range map[string]object{manifest: s.manifest(s.project("ls")), compose: s.compose(s.project("dc"))} {
		data, err := yaml.Marshal(content)
		if err != nil {
			return "", "", err
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			return "", "", err
		}
	}
	return manifest, compose, nil
}

func (s stack) project(of string) string {
	return "bench-" + of + "-" + strings.ToLower(s.Name)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
