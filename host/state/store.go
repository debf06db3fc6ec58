package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/lightshuttle/lightshuttle/sdk"
)

// Dir is the folder beside the manifest.
const Dir = ".lightshuttle"

const fileName = "state.json"

// Store is the state of the projects of one folder. What it is told is kept with
// the next Save. It isn't safe for use by several goroutines; several processes
// may each have one, as long as each changes projects of its own.
type Store struct {
	path  string
	state form
	// changed are the projects that the next Save writes, needed says that one
	// of them has to be kept for what is done next.
	changed map[string]bool
	needed  bool
	// damaged says that the file is there and can't be understood.
	damaged bool
	write   func(path string, data []byte) error
}

// DamagedError says that the file can't be understood.
type DamagedError struct {
	Path string
	// Err says what is wrong with it.
	Err error
}

// Error names the file and what is wrong with it.
func (e *DamagedError) Error() string {
	return fmt.Sprintf("state of earlier runs: %s is damaged (%v)", e.Path, e.Err)
}

// Unwrap returns what is wrong.
func (e *DamagedError) Unwrap() error { return e.Err }

// Open reads the state of the folder that has the manifest. A folder without
// state is fine; state that can't be understood is a [*DamagedError] inside an
// error that says what to do, and is left as it is.
func Open(manifestDir string) (*Store, error) {
	s := newStore(manifestDir)
	var err error
	s.state, err = read(s.path)
	return s, err
}

// OpenDamaged is an empty Store for a folder whose file is damaged. Its first
// Save keeps that file under another name.
func OpenDamaged(manifestDir string) *Store {
	s := newStore(manifestDir)
	s.damaged = true
	return s
}

func newStore(manifestDir string) *Store {
	return &Store{path: filepath.Join(manifestDir, Dir, fileName), changed: map[string]bool{}, write: writeFile}
}

// Path is the file's.
func (s *Store) Path() string { return s.path }

func read(path string) (form, error) {
	data, err := readOwn(path)
	if errors.Is(err, fs.ErrNotExist) {
		return form{}, nil
	}
	if err != nil {
		return form{}, err
	}
	var f form
	err = json.Unmarshal(data, &f)
	if err == nil && f.Version == 0 {
		err = errors.New("it has no version, so it is no state of LightShuttle's")
	}
	if err != nil {
		return form{}, &sdk.Error{
			Code: sdk.CodeInvalid, Err: &DamagedError{Path: path, Err: err},
			Hint: "restore it, or move it away, which loses the generated passwords in it",
		}
	}
	if f.Version > version {
		return form{}, &sdk.Error{
			Code: sdk.CodeInvalid, Err: fmt.Errorf("state of earlier runs: %s was written by a newer LightShuttle (form %d, this one knows %d)", path, f.Version, version),
			Hint: "use that one, or bring this one up to date",
		}
	}
	for name, p := range f.Projects {
		if p == nil {
			delete(f.Projects, name)
		}
	}
	return f, nil
}

// readOwn reads a file of this user; what another user has written isn't to be
// believed.
func readOwn(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, unreadable(path, err)
	}
	if err := own(path, info, os.Getuid()); err != nil {
		return nil, err
	}
	data, err := io.ReadAll(file)
	return data, unreadable(path, err)
}

func own(path string, info fs.FileInfo, uid int) error {
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok || int(owner.Uid) == uid {
		return nil
	}
	return &sdk.Error{
		Code: sdk.CodeInvalid, Err: fmt.Errorf("state of earlier runs: %s belongs to user %d, not to you (%d)", path, owner.Uid, uid),
		Hint: "run as that user, or make the folder " + Dir + " yours with chown",
	}
}

func (s *Store) project(name string) *project {
	if p := s.state.Projects[name]; p != nil {
		return p
	}
	return &project{}
}

// change returns the project, to be changed and written.
func (s *Store) change(name string, needed bool) *project {
	p := s.project(name)
	if s.state.Projects == nil {
		s.state.Projects = map[string]*project{}
	}
	s.state.Projects[name] = p
	s.changed[name] = true
	s.needed = s.needed || needed
	return p
}

// Password returns the password of a resource, or "" if none was generated.
func (s *Store) Password(projectName, resource string) string {
	return s.project(projectName).Passwords[resource]
}

// SetPassword keeps a generated password.
func (s *Store) SetPassword(projectName, resource, password string) {
	p := s.change(projectName, true)
	p.Passwords = with(p.Passwords, resource, password)
}

// Port returns the host port of a resource, or 0 if none was chosen.
func (s *Store) Port(projectName, resource string) uint16 {
	return s.project(projectName).Ports[resource]
}

// SetPort keeps a chosen port.
func (s *Store) SetPort(projectName, resource string, port uint16) {
	if s.Port(projectName, resource) == port {
		return
	}
	p := s.change(projectName, true)
	p.Ports = with(p.Ports, resource, port)
}

// Run returns what was brought up last and not taken down.
func (s *Store) Run(projectName string) (Run, bool) {
	run := s.project(projectName).Run
	if run == nil {
		return Run{}, false
	}
	return *run, true
}

// SetRun notes what is brought up. That of what runs already stays.
func (s *Store) SetRun(projectName string, run Run) {
	if old, there := s.Run(projectName); there && old.PlanHash == run.PlanHash && !old.Since.IsZero() {
		run.Since = old.Since
	}
	s.change(projectName, false).Run = &run
}

// Ended notes that nothing of the project runs any more.
func (s *Store) Ended(projectName string) {
	p := s.project(projectName)
	if p.Run == nil && len(p.Containers) == 0 && len(p.Stopped) == 0 {
		return
	}
	p = s.change(projectName, false)
	p.Run, p.Containers, p.Stopped = nil, nil, nil
}

// Earlier names the other projects that were brought up from the same manifest
// and not taken down, sorted: it had another project name then.
func (s *Store) Earlier(projectName, manifest string) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(s.state.Projects)) {
		run, there := s.Run(name)
		if there && name != projectName && run.Manifest == manifest {
			names = append(names, name)
		}
	}
	return names
}

// Containers returns the containers of a runtime that can't list them.
func (s *Store) Containers(projectName string) map[string]Container {
	return maps.Clone(s.project(projectName).Containers)
}

// SetContainer keeps the container of a resource.
func (s *Store) SetContainer(projectName, resource string, container Container) {
	p := s.change(projectName, true)
	p.Containers = with(p.Containers, resource, container)
}

// Stopped returns the container of a resource that the user has stopped.
func (s *Store) Stopped(projectName, resource string) string {
	return s.project(projectName).Stopped[resource]
}

// SetStopped notes that the user has stopped a container.
func (s *Store) SetStopped(projectName, resource, id string) {
	p := s.change(projectName, false)
	p.Stopped = with(p.Stopped, resource, id)
}

// Forget drops all of a project.
func (s *Store) Forget(projectName string) {
	if s.state.Projects[projectName] == nil {
		return
	}
	delete(s.state.Projects, projectName)
	s.changed[projectName] = true
}

func with[V any](values map[string]V, key string, value V) map[string]V {
	if values == nil {
		values = map[string]V{}
	}
	values[key] = value
	return values
}

// now is the time that a damaged file is named after.
func now() string { return time.Now().UTC().Format("20060102T150405Z") }
