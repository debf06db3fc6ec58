package state

import (
	"encoding/json"
	"time"
)

// version is that of the file's form. Additions don't change it: a program keeps
// the fields that it doesn't know. One that a program can't be right about
// without knowing it is a new version, which older programs refuse.
const version = 2

// form is the file.
type form struct {
	Version  int
	Projects map[string]*project
	unknown  unknown
}

type knownForm struct {
	Version  int                 `json:"version"`
	Projects map[string]*project `json:"projects"`
}

// UnmarshalJSON implements json.Unmarshaler.
func (f *form) UnmarshalJSON(data []byte) error {
	var known knownForm
	others, err := decode(data, &known)
	if err != nil {
		return err
	}
	*f = form{Version: known.Version, Projects: known.Projects, unknown: others}
	return nil
}

// MarshalJSON implements json.Marshaler.
func (f form) MarshalJSON() ([]byte, error) {
	return encode(knownForm{Version: version, Projects: f.Projects}, f.unknown)
}

// project is what is kept of one project.
type project struct {
	knownProject
	unknown unknown
}

type knownProject struct {
	// Passwords are the generated ones, by resource.
	Passwords map[string]string `json:"passwords,omitempty"`
	// Ports are the chosen host ports, by resource.
	Ports map[string]uint16 `json:"ports,omitempty"`
	// Run is what runs; nil when nothing does.
	Run *Run `json:"run,omitempty"`
	// Containers are those of a runtime that can't list its own, by resource.
	Containers map[string]Container `json:"containers,omitempty"`
	// Stopped are the containers that the user has stopped, by resource.
	Stopped map[string]string `json:"stopped,omitempty"`
}

// UnmarshalJSON implements json.Unmarshaler.
func (p *project) UnmarshalJSON(data []byte) error {
	var err error
	p.unknown, err = decode(data, &p.knownProject)
	return err
}

// MarshalJSON implements json.Marshaler.
func (p project) MarshalJSON() ([]byte, error) { return encode(p.knownProject, p.unknown) }

// Run is what was brought up last.
type Run struct {
	// Manifest is the path of the manifest.
	Manifest string `json:"manifest,omitempty"`
	Runtime  string `json:"runtime,omitempty"`
	// PlanHash identifies what was wanted, all values included.
	PlanHash string    `json:"plan_hash,omitempty"`
	Since    time.Time `json:"since,omitzero"`
	// Detached says that no program watches over it.
	Detached bool `json:"detached,omitempty"`
}

// Container is what has to be known of a container to find it again and to stop
// it in order.
type Container struct {
	ID     string            `json:"id"`
	Name   string            `json:"name,omitempty"`
	Labels map[string]string `json:"labels,omitempty"`
}

var (
	_ json.Unmarshaler = (*form)(nil)
	_ json.Unmarshaler = (*project)(nil)
)
