package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// Dir is the folder beside the manifest.
const Dir = ".lightshuttle"

const (
	fileName = "state.json"
	// version is that of the file's form. A program refuses a newer one.
	version = 1
)

// Store is the state of the projects of one folder. It isn't safe for use by
// several goroutines.
type Store struct {
	path  string
	state file
	dirty bool
}

type file struct {
	Version  int                 `json:"version"`
	Projects map[string]*project `json:"projects"`
}

type project struct {
	// Passwords are the generated ones, by resource.
	Passwords map[string]string `json:"passwords,omitempty"`
	// Ports are the chosen host ports, by resource.
	Ports map[string]uint16 `json:"ports,omitempty"`
}

// Open reads the state of the folder that has the manifest. A folder without
// state is fine; state that can't be understood is an error that says what to
// do, and is left as it is.
func Open(manifestDir string) (*Store, error) {
	s := &Store{path: filepath.Join(manifestDir, Dir, fileName), state: file{Version: version}}
	data, err := os.ReadFile(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("state of earlier runs: %w", err)
	}
	if err := json.Unmarshal(data, &s.state); err != nil {
		return nil, fmt.Errorf("state of earlier runs: %s is damaged (%w): restore it, or move it away, which loses the generated passwords in it", s.path, err)
	}
	if s.state.Version > version {
		return nil, fmt.Errorf("state of earlier runs: %s was written by a newer LightShuttle (form %d, this one knows %d): use that one", s.path, s.state.Version, version)
	}
	return s, nil
}

func (s *Store) project(name string) *project {
	p := s.state.Projects[name]
	if p == nil {
		p = &project{}
		if s.state.Projects == nil {
			s.state.Projects = map[string]*project{}
		}
		s.state.Projects[name] = p
	}
	return p
}

// Password returns the password of a resource, or "" if none was generated.
func (s *Store) Password(projectName, resource string) string {
	return s.project(projectName).Passwords[resource]
}

// SetPassword keeps a password with the next Save.
func (s *Store) SetPassword(projectName, resource, password string) {
	p := s.project(projectName)
	if p.Passwords == nil {
		p.Passwords = map[string]string{}
	}
	p.Passwords[resource] = password
	s.dirty = true
}

// Port returns the host port of a resource, or 0 if none was chosen.
func (s *Store) Port(projectName, resource string) uint16 {
	return s.project(projectName).Ports[resource]
}

// SetPort keeps a port with the next Save.
func (s *Store) SetPort(projectName, resource string, port uint16) {
	p := s.project(projectName)
	if p.Ports[resource] == port {
		return
	}
	if p.Ports == nil {
		p.Ports = map[string]uint16{}
	}
	p.Ports[resource] = port
	s.dirty = true
}

// Forget drops all of a project with the next Save.
func (s *Store) Forget(projectName string) {
	if s.state.Projects[projectName] == nil {
		return
	}
	delete(s.state.Projects, projectName)
	s.dirty = true
}

// Save writes what has changed, if anything has: as a whole or not at all,
// readable by the owner alone.
func (s *Store) Save() error {
	if !s.dirty {
		return nil
	}
	s.state.Version = version
	data, err := json.MarshalIndent(s.state, "", "  ")
	if err != nil {
		return fmt.Errorf("write the state: %w", err)
	}
	dir := filepath.Dir(s.path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("write the state: %w", err)
	}
	if err := ignoreInGit(dir); err != nil {
		return fmt.Errorf("write the state: %w", err)
	}
	if err := renameio.WriteFile(s.path, append(data, '\n'), 0o600); err != nil {
		return fmt.Errorf("write the state: %w", err)
	}
	s.dirty = false
	return nil
}

// ignoreInGit makes the folder ignore itself, but for the project's settings,
// which belong into the repository.
func ignoreInGit(dir string) error {
	path := filepath.Join(dir, ".gitignore")
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	return os.WriteFile(path, []byte("*\n!config.yaml\n"), 0o600)
}
