package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"
)

// files are the same stack for each subject, each under a project of its own.
type files struct {
	manifest, compose, floor string
	// project is the manifest's.
	project string
}

type object = map[string]any

// write writes the files into dir. The names of the projects begin with prefix.
func (s stack) write(dir, prefix string) (files, error) {
	written := files{
		manifest: filepath.Join(dir, s.Name+".lightshuttle.yml"),
		compose:  filepath.Join(dir, s.Name+".compose.yml"),
		floor:    filepath.Join(dir, s.Name+".json"),
		project:  prefix + "ls-" + s.Name,
	}
	s.Project = prefix + "floor-" + s.Name
	floor, err := json.Marshal(s)
	if err != nil {
		return files{}, err
	}
	manifest, err := s.manifest(written.project)
	if err != nil {
		return files{}, err
	}
	ours, err := yaml.Marshal(manifest)
	if err != nil {
		return files{}, err
	}
	theirs, err := yaml.Marshal(s.compose(prefix + "dc-" + s.Name))
	if err != nil {
		return files{}, err
	}
	return written, errors.Join(
		os.WriteFile(written.manifest, ours, 0o600),
		os.WriteFile(written.compose, theirs, 0o600),
		os.WriteFile(written.floor, floor, 0o600),
	)
}

func (s stack) manifest(project string) (object, error) {
	// A map would be sorted by name; the manifest keeps the stack's order.
	resources := yaml.Node{Kind: yaml.MappingNode}
	for _, one := range s.Services {
		var value yaml.Node
		if err := value.Encode(one.resource()); err != nil {
			return nil, err
		}
		resources.Content = append(resources.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: one.Name}, &value)
	}
	return object{"project": object{"name": project}, "resources": &resources}, nil
}

func (s service) resource() object {
	if s.Postgres {
		// Its image, environment and probe are the kind's; a test compares them
		// with what the twin gets.
		return object{"postgres": object{"password": s.Env["POSTGRES_PASSWORD"], "volume": false}}
	}
	fields := object{"image": s.Image, "command": s.Command}
	if len(s.Env) > 0 {
		fields["env"] = s.Env
	}
	if s.Check != nil {
		fields["healthcheck"] = s.Check.yaml()
	}
	if len(s.Needs) > 0 {
		fields["depends_on"] = s.Needs
	}
	return object{"container": fields}
}

func (s stack) compose(project string) object {
	checked := map[string]bool{}
	for _, one := range s.Services {
		checked[one.Name] = one.Check != nil
	}
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
			fields["healthcheck"] = one.Check.yaml()
		}
		if len(one.Needs) > 0 {
			needs := object{}
			for _, need := range one.Needs {
				needs[need] = object{"condition": condition(checked[need])}
			}
			fields["depends_on"] = needs
		}
		services[one.Name] = fields
	}
	return object{"name": project, "services": services}
}

func condition(checked bool) string {
	if checked {
		return "service_healthy"
	}
	return "service_started"
}

// yaml is a healthcheck in the words that both formats share.
func (c *check) yaml() object {
	return object{
		"test":     append([]string{"CMD"}, c.Test...),
		"interval": c.Interval.String(), "timeout": c.Timeout.String(),
		"start_period": c.Start.String(), "retries": c.Retries,
	}
}
