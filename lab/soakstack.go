package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// soakStack is the model of a manifest.
type soakStack struct {
	resources []soakResource
	// edits counts the changes, and makes each of them one.
	edits int
}

// soakResource is the model of a resource.
type soakResource struct {
	name  string
	needs []string
	// short says that it ends by itself, with code 0, where somebody waits for
	// that; a resource that nobody waits for has to stay.
	short     bool
	check     string
	volume    string
	published bool
	stubborn  bool
	restart   string
	image     string
	// version is in its environment; another one means another container.
	version int
}

const mostResources = 5

var checks = []string{
	"", `{http: {port: 8080}}`, `{tcp: {port: 8080}}`, `{test: [CMD, /tiny, get], interval: 2s}`,
}

// policies are the restart policies that are tried.
var policies = []string{"", "", "always", "on-failure"}

// randomStack makes a stack of up to five resources.
func randomStack(dice *rand.Rand) *soakStack {
	s := &soakStack{}
	for range 1 + dice.IntN(mostResources) {
		s.add(dice)
	}
	return s
}

// add adds a resource that needs some of those before it.
func (s *soakStack) add(dice *rand.Rand) {
	s.edits++
	r := soakResource{name: fmt.Sprintf("r%d", s.edits), version: s.edits, image: tiny}
	for _, other := range s.resources {
		if dice.IntN(3) == 0 {
			r.needs = append(r.needs, other.name)
		}
	}
	if dice.IntN(5) == 0 {
		r.short = true
		s.resources = append(s.resources, r)
		return
	}
	r.check = checks[dice.IntN(len(checks))]
	r.published = dice.IntN(3) == 0
	r.stubborn = r.check == "" && dice.IntN(6) == 0
	r.restart = policies[dice.IntN(len(policies))]
	if dice.IntN(3) == 0 {
		r.volume = fmt.Sprintf("v%d", dice.IntN(2))
	}
	if dice.IntN(3) == 0 {
		r.image = volumed
	}
	s.resources = append(s.resources, r)
}

// edit changes, adds or removes something, and says what.
func (s *soakStack) edit(dice *rand.Rand) string {
	i := dice.IntN(len(s.resources))
	name := s.resources[i].name
	switch {
	case dice.IntN(3) == 0 && len(s.resources) < mostResources:
		s.add(dice)
		return "adds " + s.resources[len(s.resources)-1].name
	case dice.IntN(2) == 0 && len(s.resources) > 1:
		s.remove(i)
		return "removes " + name
	}
	s.edits++
	s.resources[i].version = s.edits
	return "changes " + name
}

func (s *soakStack) remove(i int) {
	name := s.resources[i].name
	s.resources = append(s.resources[:i:i], s.resources[i+1:]...)
	for k := range s.resources {
		var needs []string
		for _, need := range s.resources[k].needs {
			if need != name {
				needs = append(needs, need)
			}
		}
		s.resources[k].needs = needs
	}
}

func (s *soakStack) find(name string) (soakResource, bool) {
	for _, r := range s.resources {
		if r.name == name {
			return r, true
		}
	}
	return soakResource{}, false
}

// completes says whether r ends by itself.
func (s *soakStack) completes(r soakResource) bool {
	return r.short && slices.ContainsFunc(s.resources, func(other soakResource) bool { return slices.Contains(other.needs, r.name) })
}

// manifest is the stack in the program's language.
func (s *soakStack) manifest(project string) string {
	var text strings.Builder
	fmt.Fprintf(&text, "project:\n  name: %s\nresources:\n", project)
	for _, r := range s.resources {
		fmt.Fprintf(&text, "  %s:\n    container:\n      image: %s\n      env: {VERSION: \"%d\"}\n      stop_grace: 1s\n", r.name, r.image, r.version)
		switch {
		case s.completes(r):
			text.WriteString("      command: [exit, \"0\"]\n")
		case r.stubborn:
			text.WriteString("      command: [stubborn]\n")
		default:
			text.WriteString("      command: [serve]\n")
		}
		s.dependencies(&text, r)
		if r.check != "" {
			fmt.Fprintf(&text, "      healthcheck: %s\n", r.check)
		}
		if r.published {
			text.WriteString("      ports: [\"0:8080\"]\n")
		}
		if r.volume != "" {
			fmt.Fprintf(&text, "      volumes: [\"%s:/data\"]\n", r.volume)
		}
		if r.restart != "" {
			fmt.Fprintf(&text, "      restart: %s\n", r.restart)
		}
	}
	return text.String()
}

func (s *soakStack) dependencies(text *strings.Builder, r soakResource) {
	if len(r.needs) == 0 {
		return
	}
	text.WriteString("      depends_on:\n")
	for _, need := range r.needs {
		condition := "started"
		other, _ := s.find(need)
		switch {
		case s.completes(other):
			condition = "completed"
		case other.check != "":
			condition = "healthy"
		}
		fmt.Fprintf(text, "        %s: {condition: %s}\n", need, condition)
	}
}

func (s *soakStack) write(dir, project string) error {
	return os.WriteFile(filepath.Join(dir, "lightshuttle.yml"), []byte(s.manifest(project)), 0o600)
}

// clone is a copy that edits don't reach.
func (s *soakStack) clone() *soakStack {
	c := *s
	c.resources = append([]soakResource(nil), s.resources...)
	return &c
}
